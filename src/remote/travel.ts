// Which inputs mean the same on another machine: paths relative to the project, and environment variables.

import { isAbsolute } from 'node:path'
import { MAX_KEY_BYTES } from '../base/layout.js'
import { unescapeNamespace } from '../base/namespace-name.js'
import { type Input, lookOf, NO_DIGEST } from '../inputs/input.js'
import { SCOPES, type Scope } from '../project/project.js'

/** The most inputs a shared answer may have: every reader checks each of them. */
export const MAX_INPUTS = 10_000
const MAX_VERSION_BYTES = 255

/** The inputs with shared lists expanded; undefined if one is specific to this machine. @throws errno-style errors */
export function travelling(
  inputs: readonly Input[],
  load: (id: string) => readonly Input[] | undefined,
): Input[] | undefined {
  const flat: Input[] = []
  const seen = new Set<string>()
  const visit = (some: readonly Input[]): boolean =>
    some.every(input => {
      if (lookOf(input.kind) !== 'list') return flat.push(input) <= MAX_INPUTS && travels(input)
      if (seen.has(input.path)) return true
      seen.add(input.path)
      const listed = load(input.path)
      return listed !== undefined && visit(listed)
    })
  return visit(inputs) ? flat : undefined
}

/** Whether the input is allowed in an answer from another machine. */
export function travels(input: Input): boolean {
  const { kind, path, isRelative } = input
  switch (lookOf(kind)) {
    case 'file':
      return path === '' || (isRelative && isPlainPath(path))
    case 'present':
    case 'glob':
      return isRelative && isPlainPath(path)
    case 'environment':
      return true
    case 'entry':
      return isAbsentEntry(input)
    case 'cwd':
    case 'location':
      return isPlainPath(path)
    case 'home':
      return path === ''
    default:
      return false
  }
}

function isPlainPath(path: string): boolean {
  return path !== '' && !isAbsolute(path) && !/^[a-z]:/i.test(path) && !path.startsWith('\\') && !path.includes('\0')
}

/** Whether it records that a key of the project isn't set. Values that are set belong to one machine. */
function isAbsentEntry({ path, digest }: Input): boolean {
  if (!digest.equals(NO_DIGEST)) return false
  const parts = parsed(path)
  if (!Array.isArray(parts) || !parts.every(part => typeof part === 'string')) return false
  const [namespace = '', version = '', scope, project, key = ''] = parts
  const isKey = key !== '' && key.isWellFormed() && Buffer.byteLength(key) <= MAX_KEY_BYTES
  const isVersion = version.isWellFormed() && Buffer.byteLength(version) <= MAX_VERSION_BYTES
  return isKey && isVersion && project === '' && SCOPES.includes(scope as Scope) && isNamespace(namespace)
}

function isNamespace(directory: string): boolean {
  return unescapeNamespace(directory) !== undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
