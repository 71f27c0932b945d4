// Which namespace a directory is of. A process that knows its namespaces by name never asks.

import { CacheError } from './errors.js'
import { escapeNamespace } from './layout.js'

/** Returns the namespace that a directory name stands for, or undefined if no namespace is escaped to it. */
export function unescapeNamespace(directory: string): string | undefined {
  if (!/^(?:[a-z0-9_.-]|%[0-9a-f]{2})+$/.test(directory)) return undefined
  const bytes = directory
    .match(/%..|./g)
    ?.map(part => (part.length > 1 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0)))
  const name = Buffer.from(bytes ?? []).toString()
  try {
    return escapeNamespace(name) === directory ? name : undefined
  } catch (error) {
    if (error instanceof CacheError) return undefined
    throw error
  }
}
