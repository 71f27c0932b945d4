// The disk of a process that may reach its limit of open files. If a call fails for that reason, the cache closes its own files
// and tries again.

import { errnoOf } from '../base/errors.js'
import type { Files } from './files.js'

const TOO_MANY = ['EMFILE', 'ENFILE']

export function sparing(files: Files, giveBack: () => void): Files {
  const tryTwice =
    <Args extends unknown[], R>(call: (...args: Args) => R) =>
    (...args: Args): R => {
      try {
        return call(...args)
      } catch (error) {
        if (!TOO_MANY.includes(errnoOf(error) ?? '')) throw error
        giveBack()
        return call(...args)
      }
    }
  return {
    ...files,
    list: tryTwice(files.list),
    listKinds: tryTwice(files.listKinds),
    readFile: tryTwice(files.readFile),
    createFile: tryTwice(files.createFile),
    sync: tryTwice(files.sync),
  }
}
