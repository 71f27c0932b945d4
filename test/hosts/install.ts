// Puts the package, as it is published, beside the hosts.

import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { install } from '../package/smoke-on-node.mjs'

export default function setup(): void {
  const directory = mkdtempSync(join(tmpdir(), 'wicked-cache-hosts-'))
  const target = join(import.meta.dirname, 'node_modules', 'wicked-cache')
  install(directory)
  rmSync(target, { recursive: true, force: true })
  cpSync(join(directory, 'node_modules', 'wicked-cache'), target, { recursive: true })
  rmSync(directory, { recursive: true })
}
