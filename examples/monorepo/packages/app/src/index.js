export * from '@example/streams'
export { start } from './start.js'
