export * from '@example/streams'
export const marbles = text => text.split('-')
