import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** The build inlines the WebAssembly; the tests, which run the sources, get the same bytes the same way. */
const inlineWasm = {
  name: 'inline-wasm',
  enforce: 'pre' as const,
  load(id: string) {
    if (!id.endsWith('.wasm')) return null
    return `export default Uint8Array.from([${readFileSync(id).join()}])`
  },
}

/** The texts of a report's page, which the build inlines as well. */
const PAGE_TEXTS: Record<string, string> = { '#report-style': 'report.css', '#report-script': 'report.js' }
const inlinePageTexts = {
  name: 'inline-page-texts',
  enforce: 'pre' as const,
  resolveId: (source: string) => (source in PAGE_TEXTS ? `\0${source}` : null),
  load(id: string) {
    const file = PAGE_TEXTS[id.slice(1)]
    if (!id.startsWith('\0') || !file) return null
    return `export default ${JSON.stringify(readFileSync(join(import.meta.dirname, 'cli', 'report', 'browser', file), 'utf8'))}`
  },
}

const packageFile = (name: string, file: string) =>
  createRequire(import.meta.url)
    .resolve(name)
    .replace(new RegExp(`(node_modules.${name}).*`), `$1/${file}`)

export default defineConfig({
  plugins: [inlineWasm, inlinePageTexts],
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
    exclude: ['test/loads/**', 'test/hosts/**', 'test/engines/**', 'test/windows/**', '**/node_modules/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    server: { deps: { inline: ['cbor-x', /\.wasm$/] } },
  },
})
