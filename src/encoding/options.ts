export interface ValueCodecOptions {
  cyclic: boolean
  classInstances: 'refuse' | 'plain'
}
