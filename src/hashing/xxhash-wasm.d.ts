declare module '#xxhash.wasm' {
  /** The binary that the xxhash-wasm package ships. */
  const bytes: Uint8Array<ArrayBuffer>
  export default bytes
}

/** The part of WebAssembly that is used here; TypeScript declares it only together with the whole browser. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>)
  }
  class Instance {
    constructor(module: Module)
    readonly exports: unknown
  }
  interface Memory {
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
}
