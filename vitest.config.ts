import { createRequire } from 'node:module'
import { defineConfig } from 'vitest/config'
import { withOwnFunctions } from './scripts/wasm.mjs'

/** The build inlines the WebAssembly; the tests, which run the sources, get the same bytes the same way. */
const inlineWasm = {
  name: 'inline-wasm',
  enforce: 'pre' as const,
  async load(id: string) {
    if (!id.endsWith('.wasm')) return null
    return `export default Uint8Array.from([${(await withOwnFunctions(id)).join()}])`
  },
}

const packageFile = (name: string, file: string) =>
  createRequire(import.meta.url)
    .resolve(name)
    .replace(new RegExp(`(node_modules.${name}).*`), `$1/${file}`)

export default defineConfig({
  plugins: [inlineWasm],
  resolve: {
    alias: {
      // Plain JavaScript entry: the "node" one also tries to load an optional native addon.
      'cbor-x/decode': packageFile('cbor-x', 'decode.js'),
      'cbor-x/encode': packageFile('cbor-x', 'encode.js'),
      'cbor-x': packageFile('cbor-x', 'index.js'),
      '#xxhash.wasm': packageFile('xxhash-wasm', 'workerd/xxhash.wasm'),
    },
  },
  test: {
    include: ['test/**/*.test.ts'],
    // With configurations and tools of their own.
    exclude: ['test/loads/**', 'test/windows/**', '**/node_modules/**'],
    testTimeout: 60_000,
    server: { deps: { inline: ['cbor-x', /\.wasm$/] } },
  },
})
