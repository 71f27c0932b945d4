import { interval } from '@example/streams'

export const start = () => interval(1000)
