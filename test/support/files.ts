// Files objects that put something between the library and the disk.

import { type Files, nodeFiles } from '../../src/files/files.js'

type CallName = Exclude<keyof Files, 'now'>

export interface FileCall {
  name: CallName
  /** Also of calls that take a descriptor. */
  path: string
  args: readonly unknown[]
  /** Does what was asked for, with other arguments where some are given. */
  proceed(args?: readonly unknown[]): unknown
}

const NAMES = Object.keys(nodeFiles).filter(name => name !== 'now') as CallName[]

export interface Disk {
  /** What is behind it. Default: the real disk. */
  files?: Files
  now?: () => number
}

/** Shows every call to `intercept`, whose result or error the library gets. */
export function interceptedFiles(intercept: (call: FileCall) => unknown, disk: Disk = {}): Files {
  const { files = nodeFiles, now = files.now } = disk
  const paths = new Map<unknown, string>()
  const wrap = (name: CallName) => {
    const real = files[name] as (...args: unknown[]) => unknown
    return (...args: unknown[]) =>
      intercept({
        name,
        path: typeof args[0] === 'string' ? args[0] : (paths.get(args[0]) ?? ''),
        args,
        proceed(given = args) {
          const result = real(...given)
          if (name === 'open') paths.set(result, String(args[0]))
          return result
        },
      })
  }
  return { ...Object.fromEntries(NAMES.map(name => [name, wrap(name)])), now } as unknown as Files
}

export function systemError(code: string, call: FileCall): Error {
  return Object.assign(new Error(`${code}: made by a test, ${call.name} '${call.path}'`), { code, syscall: call.name })
}

export interface Fault {
  /** The first call that fails, counted from 1. */
  at: number
  code: string
  /** `once`: that call only. `lasting`: all from that one on, as after a kill or on a disk that is gone. */
  span: 'once' | 'lasting'
  /** Share of its bytes that a failing append writes before it fails; with `isShort` it returns that, as write(2) does. */
  writtenShare?: number
  isShort?: boolean
  /** Only calls about files in this directory count and fail. */
  below?: string
}

/** A disk that works until a fault is set, and again once it has been healed. */
export class FaultyDisk {
  readonly files: Files
  /** Calls since the fault was set. */
  callCount = 0
  hasFailed = false
  /** The file of which the fault cut an append short. */
  cutShort: string | undefined
  #fault: Fault | undefined

  constructor(disk: Disk = {}) {
    this.files = interceptedFiles(call => this.#call(call), disk)
  }

  fail(fault: Fault): void {
    this.#fault = fault
    this.callCount = 0
    this.hasFailed = false
  }

  heal(): void {
    this.#fault = undefined
  }

  #call(call: FileCall): unknown {
    const fault = this.#fault
    const isCounted = fault?.below === undefined || call.path.startsWith(fault.below)
    if (isCounted) this.callCount++
    const isFailing =
      isCounted && fault && (fault.span === 'once' ? this.callCount === fault.at : this.callCount >= fault.at)
    // A descriptor is closed even when close(2) says that something went wrong.
    if (call.name === 'close') call.proceed()
    if (!isFailing) return call.name === 'close' ? undefined : call.proceed()
    const isFirst = !this.hasFailed
    this.hasFailed = true
    if (call.name === 'append' && (isFirst || fault.isShort)) {
      const [fd, bytes, length] = call.args as [number, Uint8Array, number]
      const share = Math.floor(length * (fault.writtenShare ?? 0))
      const written = share > 0 ? call.proceed([fd, bytes, share]) : 0
      if (share > 0 && share < length) this.cutShort = call.path
      if (fault.isShort) return written
    } else if (fault.isShort) {
      return call.name === 'close' ? undefined : call.proceed()
    }
    throw systemError(fault.code, call)
  }
}

/** Refuses whatever would change something, the way a disk mounted read-only does. */
export function readOnlyFiles(onRefusal: (call: FileCall) => void = () => undefined): Files {
  return interceptedFiles(call => {
    const isChange =
      ['append', 'createFile', 'makeDirectory', 'rename', 'remove'].includes(call.name) ||
      (call.name === 'open' && call.args[1] !== 'read')
    if (!isChange) return call.proceed()
    onRefusal(call)
    throw systemError('EROFS', call)
  })
}

/** A disk with this much room for what is written: the write that fills it is cut short, later ones fail. */
export function fullDiskFiles(room: { bytes: number; refusals: number }): Files {
  const refuse = (call: FileCall) => {
    room.refusals++
    return systemError('ENOSPC', call)
  }
  return interceptedFiles(call => {
    if (call.name === 'createFile' || call.name === 'makeDirectory') {
      if (room.bytes === 0) throw refuse(call)
      return call.proceed()
    }
    if (call.name !== 'append') return call.proceed()
    const [fd, bytes, length] = call.args as [number, Uint8Array, number]
    if (room.bytes === 0) throw refuse(call)
    const written = call.proceed([fd, bytes, Math.min(length, room.bytes)]) as number
    room.bytes -= written
    return written
  })
}

export interface Traffic {
  calls: Record<string, number>
  readBytes: number
}

/** The real disk, and what was asked of it since `reset`. */
export function meteredFiles(disk: Disk = {}): { files: Files; traffic: Traffic; reset(): void } {
  const traffic: Traffic = { calls: {}, readBytes: 0 }
  const files = interceptedFiles(call => {
    traffic.calls[call.name] = (traffic.calls[call.name] ?? 0) + 1
    const result = call.proceed()
    if (call.name === 'read') traffic.readBytes += result as number
    if (call.name === 'readFile') traffic.readBytes += (result as Buffer | undefined)?.length ?? 0
    return result
  }, disk)
  const reset = () => {
    traffic.calls = {}
    traffic.readBytes = 0
  }
  return { files, traffic, reset }
}
