// The library's WebAssembly: the binary of xxhash-wasm, with the function of `src/log-map/skim.wat` in it. As a module of its
// own it cost a process with one get what it saved.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import wabt from 'wabt'

const source = join(dirname(fileURLToPath(import.meta.url)), '..', 'src', 'log-map', 'skim.wat')

/** The bytes of it; `path` is that of the binary of xxhash-wasm. */
export async function withOwnFunctions(path) {
  const tools = await wabt()
  const xxhash = tools.readWasm(Uint8Array.from(readFileSync(path)), { readDebugNames: false })
  const theirs = xxhash.toText({ foldExprs: true, inlineExport: false })
  const [, xxh32] = /\(export "xxh32" \(func (\d+)\)\)/.exec(theirs) ?? []
  if (xxh32 === undefined) throw new Error(`${path} has changed: it exports no xxh32`)
  const ours = readFileSync(source, 'utf8').replaceAll('$xxh32', xxh32)
  const module = tools.parseWat(source, `${theirs.trimEnd().slice(0, -1)}\n${ours})`)
  module.resolveNames()
  module.validate()
  return module.toBinary({}).buffer
}
