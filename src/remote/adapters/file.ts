// A directory on a share: `file:///share/cache`. Objects are files in 256 directories, by the first two digits of their
// names.

import { constants } from 'node:fs'
import { access, chmod, mkdir, open, rename, stat, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RemoteAdapter } from '../../api/index.js'
import { RemoteFailure } from '../failure.js'
import type { Place } from '../place.js'
import type { Settings } from '../settings.js'

const MISSING = ['ENOENT', 'ENOTDIR', 'ELOOP']
/** Errors of one object. They say nothing about the others. */
const OF_OBJECT = [...MISSING, 'EISDIR', 'ENXIO', 'ENOTEMPTY', 'EEXIST', 'EACCES', 'EPERM']
/** File system calls at once. Node has four threads, and a share that hangs blocks them. The host needs some for itself. */
const MAX_CALLS = 2
/** Don't block if there is a pipe where a file should be. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0)

/** @throws RemoteFailure if the URL isn't a path */
export function createFileAdapter(place: Place, { maxBytes }: Settings): RemoteAdapter {
  const directory = pathOf(place.url)
  const fileOf = (name: string) => join(directory, name.slice(0, 2), name.slice(2))
  let made = 0
  let isThere = false
  /** The share's mode, which directories and files in it take, so that everyone who may use the share can use them. */
  let mode = 0

  /** Fails if the share is missing. Otherwise every object would just seem missing. */
  async function assertThere(): Promise<void> {
    if (isThere) return
    const stats = await stat(directory).catch(error => {
      throw MISSING.includes(codeOf(error) ?? '') ? new RemoteFailure('down', 'its directory does not exist') : error
    })
    if (!stats.isDirectory()) throw new RemoteFailure('down', 'its path is not a directory')
    await access(directory, constants.R_OK | constants.X_OK)
    mode = stats.mode & 0o777
    isThere = true
  }

  async function readObject(name: string): Promise<Uint8Array | undefined> {
    try {
      const handle = await open(fileOf(name), FLAGS)
      try {
        const stat = await handle.stat()
        // One byte more than allowed, to notice objects that are too large.
        if (!stat.isFile()) return undefined
        const bytes = Buffer.alloc(Math.min(stat.size, maxBytes + 1))
        let length = 0
        while (length < bytes.length) {
          const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length)
          if (bytesRead === 0) break
          length += bytesRead
        }
        return bytes.subarray(0, length)
      } finally {
        await handle.close()
      }
    } catch (error) {
      const code = codeOf(error) ?? ''
      if (!OF_OBJECT.includes(code)) throw error
      // Most objects are just missing. Other errors may come from the share itself.
      if (code !== 'ENOENT') {
        isThere = false
        await assertThere()
      }
      return undefined
    }
  }

  async function failureOfPut(error: unknown): Promise<unknown> {
    const code = codeOf(error) ?? ''
    const readOnly = new RemoteFailure('readonly', 'it can only be read')
    if (code === 'EROFS') return readOnly
    if (!OF_OBJECT.includes(code)) return error
    const refused = new RemoteFailure('refused', `an object can't be stored there (${code})`)
    isThere = false
    try {
      await assertThere()
      await access(directory, constants.W_OK)
      return refused
    } catch (trouble) {
      return ['EACCES', 'EPERM', 'EROFS'].includes(codeOf(trouble) ?? '') ? readOnly : trouble
    }
  }

  return {
    // A batch has a second, and a network share takes a few ms per file.
    maxBatch: 32,
    async getMany(names, signal) {
      await assertThere()
      const objects: (Uint8Array | undefined)[] = new Array(names.length)
      let next = 0
      const work = async () => {
        while (next < names.length && !signal.aborted) {
          const at = next++
          objects[at] = await readObject(names[at] as string)
        }
      }
      await Promise.all(Array.from({ length: MAX_CALLS }, work))
      return objects
    },
    async put(name, bytes, signal) {
      await assertThere()
      const path = fileOf(name)
      const temporary = `${path}.${process.pid.toString(36)}-${(made++).toString(36)}-${Date.now().toString(36)}.new`
      try {
        await written(temporary, bytes, mode)
        // Written under another name first: readers see only complete objects.
        if (!signal.aborted) return await rename(temporary, path)
      } catch (error) {
        await unlink(temporary).catch(() => undefined)
        throw await failureOfPut(error)
      }
      await unlink(temporary)
    },
    close: () => undefined,
  }
}

/** Never creates the share itself: if it isn't mounted, nothing must be stored in its place. */
async function written(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  try {
    await writeFile(path, bytes, { flag: 'wx' })
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    await mkdir(dirname(path)).then(
      () => withMode(dirname(path), mode),
      failure => {
        if (codeOf(failure) !== 'EEXIST') throw failure
      },
    )
    await writeFile(path, bytes, { flag: 'wx' })
  }
  await withMode(path, mode & 0o666)
}

/** Some shares have no modes. */
function withMode(path: string, mode: number): Promise<void> {
  return chmod(path, mode).catch(() => undefined)
}

function pathOf(url: URL): string {
  try {
    return fileURLToPath(url)
  } catch {
    throw new RemoteFailure('off', 'its file: URL is no path of this machine')
  }
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}
