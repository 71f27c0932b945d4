// How the built library comes by its own code. It stands in one file as texts, each of which is compiled when it is first
// needed (`scripts/parts.mjs`); what V8 made of a text in one process is kept for the next ones, which then neither parse nor
// compile it: its code cache, https://v8.dev/blog/code-caching-for-devs. Where nothing is or can be kept, all works the same.
//
// It is kept beside the library's file and not in a cache directory because it is code: whoever may write there could change
// the library as well, while a cache directory may be shared with a sandbox that must not reach beyond itself. And only where
// the package brought the directory for it: beside the output of a bundler there is none.
//
// V8 refuses what was made by another version, with other flags or of a text of another length, and trusts the rest. So a
// file's name has the text's digest, and its end a check of what is before it: what was torn or damaged counts as not kept.

import type { Script } from 'node:vm'
import { sharedHashing } from '../hashing/hashing.js'

// Imports of these take Node 2 ms, as it looks through all that they export.
const { accessSync, constants, readdirSync, readFileSync, rmSync, writeFileSync } = process.getBuiltinModule('node:fs')
const { dirname, join } = process.getBuiltinModule('node:path')

/** A part of the library. */
export interface PartText {
  name: string
  /** Differs for each text. */
  digest: string
  /** An expression that is a function. */
  text: string
  /** The file that it was made from, for stack traces. */
  source: string
}

interface Compiled {
  script: Script
  file: string
  /** Of the code that was kept before. */
  keptBytes: number
}

const DIRECTORY = 'code-cache'
const CHECK_BYTES = 4
/** V8 forgets the code of functions that were not called for a while; a process this old may have forgotten how it began. */
const MAX_UPTIME_S = 5
/**
 * Up to which a part may grow. Every process reads all of it, in a millisecond for 100 KB, and those that begin and end quickly
 * call some 200 KB; more comes together where one calls what others did not.
 */
const MAX_GROWN_BYTES = 240 * 1024
/** One for each part, version and set of flags; beyond that, all begin anew. */
const MAX_FILES = 64

const compiled: Compiled[] = []

/** The value of the part's text; `home` is where the library's file is, if that is known. */
export function compile({ name, digest, text, source }: PartText, home: string | undefined): unknown {
  const { Script } = process.getBuiltinModule('node:vm')
  const filename = `wicked-cache:${source}`
  // In the realm that this is in, which may be that of a test runner: values are told apart by their prototypes.
  if (!(Script instanceof Function)) return evaluate(text, filename)
  if (!home || process.env.NODE_DISABLE_COMPILE_CACHE) return new Script(text, { filename }).runInThisContext()
  const { version, versions, platform, arch } = process
  const fileFor = (flags: string) =>
    join(home, DIRECTORY, `${name}-${digest}-${version}-${versions.v8}-${platform}-${arch}${flags}.code`)
  const load = (file: string) => {
    const cachedData = keptIn(file)
    const script = new Script(text, { filename, cachedData })
    return { script, file, keptBytes: cachedData?.length ?? 0 }
  }
  let part = load(fileFor(''))
  // Of other flags; to learn a name for these takes a millisecond.
  if (part.script.cachedDataRejected) {
    part = load(fileFor(`-${process.getBuiltinModule('node:v8').cachedDataVersionTag()}`))
  }
  if (!part.script.cachedDataRejected) compiled.push(part)
  return part.script.runInThisContext()
}

/**
 * To be called as the process ends: if it was the first to need a part, keeps that, and what it was the first to call of the
 * others.
 */
export function keepCode(): void {
  if (compiled.every(({ keptBytes }) => keptBytes > 0) || process.uptime() > MAX_UPTIME_S) return
  for (const part of compiled) {
    try {
      keep(part)
    } catch {
      // It was compiled without before, and is again.
    }
  }
}

function keep({ script, file, keptBytes }: Compiled): void {
  // Many an installation cannot be written to; what follows is some work.
  const directory = dirname(file)
  accessSync(directory, constants.W_OK)
  const code = script.createCachedData()
  if (code.length <= keptBytes || (keptBytes > 0 && code.length > MAX_GROWN_BYTES)) return
  const names = readdirSync(directory).filter(name => name.endsWith('.code'))
  if (names.length >= MAX_FILES) for (const name of names) rmSync(join(directory, name), { force: true })
  writeFileSync(file, Buffer.concat([code, checkOf(code)]))
}

function keptIn(file: string): Buffer | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch {
    return undefined
  }
  const end = bytes.length - CHECK_BYTES
  const code = bytes.subarray(0, Math.max(0, end))
  return end > 0 && checkOf(code).equals(bytes.subarray(end)) ? code : undefined
}

function checkOf(code: Buffer): Buffer {
  const check = Buffer.alloc(CHECK_BYTES)
  check.writeUInt32LE(sharedHashing().hash32(code, 0, code.length, 0))
  return check
}

/** In this realm, or where no text may be compiled in it, in the main one. */
function evaluate(text: string, filename: string): unknown {
  try {
    return new Function(`return ${text}\n//# sourceURL=${filename}`)()
  } catch (error) {
    if (!(error instanceof EvalError)) throw error
    return new (process.getBuiltinModule('node:vm').Script)(text, { filename }).runInThisContext()
  }
}
