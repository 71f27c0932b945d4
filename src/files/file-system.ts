// Properties of the file system that a path is on.

import { NOT_PERMITTED, statfsSync, unless } from './node-fs.js'

/**
 * `local`: file times come from this machine's clock. `generated`: content is generated when it is read, as in procfs, and the
 * stat says nothing about it. `unknown`: anything else, such as a network share with a clock of its own.
 */
export type FileSystemKind = 'local' | 'generated' | 'unknown'

export interface FileSystem {
  kind: FileSystemKind
  /** Free bytes for this user; `Infinity` if unknown. */
  freeBytes: number
}

/** Types of `statfs` on Linux, https://man7.org/linux/man-pages/man2/statfs.2.html: disks, memory and what lies over these. */
const LOCAL_TYPES = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x858458f6, 0x794c7630, 0xf2f52010, 0xca451a4e, 0x2fc12fc1, 0x4d44,
  0x2011bab0, 0x5346544e, 0x7366746e, 0x52654973, 0x3153464a, 0x137d, 0x73717368, 0xe0f5e1e2, 0x958458f6, 0xf15f,
])
/** procfs, sysfs, debugfs, tracefs, cgroups, securityfs, selinuxfs, pstore, bpf, binfmt_misc, configfs, efivarfs, devpts, resctrl. */
const GENERATED_TYPES = new Set([
  0x9fa0, 0x62656572, 0x64626720, 0x74726163, 0x27e0eb, 0x63677270, 0x73636673, 0xf97cff8c, 0x6165676c, 0xcafe4a11,
  0x42494e4d, 0x62656570, 0xde5e81e4, 0x1cd1, 0x7655821,
])

export function fileSystem(path: string): FileSystem {
  const found = unless(NOT_PERMITTED, () => statfsSync(path))
  if (!found) return { kind: 'unknown', freeBytes: Number.POSITIVE_INFINITY }
  const type = found.type >>> 0
  const isLocal = process.platform !== 'linux' || LOCAL_TYPES.has(type)
  const kind = isLocal ? 'local' : GENERATED_TYPES.has(type) ? 'generated' : 'unknown'
  // Without a size there is no known limit.
  return { kind, freeBytes: found.blocks > 0 ? found.bavail * found.bsize : Number.POSITIVE_INFINITY }
}
