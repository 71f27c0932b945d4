// The disk of a process that is at its limit of open files, of which the cache holds some: these are given back, and the call
// is tried again.

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
