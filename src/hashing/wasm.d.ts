declare module '#xxhash.wasm' {
  /** The binary that the xxhash-wasm package ships. */
  const bytes: Uint8Array<ArrayBuffer>
  export default bytes
}
