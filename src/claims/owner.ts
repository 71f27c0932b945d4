// Which process something belongs to, and whether that one still lives: of claims, and of the gc's lock.

import { errnoOf } from '../base/errors.js'

export interface Owner {
  pid: number
  host: string
}

/** Asked for when it is needed: loading node:os takes 0.2 ms. */
export function thisProcess(): Owner {
  return { pid: process.pid, host: process.getBuiltinModule('node:os').hostname() }
}

/** Of a process on this machine; its number may have been given to another one since. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errnoOf(error) !== 'ESRCH'
  }
}
