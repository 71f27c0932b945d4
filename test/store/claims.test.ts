// A claim is taken by one at a time, and given up for owners that are not worth waiting for.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Claims } from '../../src/claims/claims.js'
import { nodeFiles } from '../../src/files/files.js'
import { newEnvironment, temporaryDirectory } from './environment.js'

const key = { place: 1, slot: 2, bytes: Buffer.from('key') }

/** Claims of a process with this id, on this machine or another one, whose clock is ahead by some ms. */
function claimsIn(directory: string, pid: number, { host = 'here', aheadMs = 0 } = {}) {
  const environment = newEnvironment({ files: { ...nodeFiles, now: () => Date.now() + aheadMs } })
  return new Claims(environment, join(directory, 'claims'), 'claims', () => key, { pid, host })
}

/** The id of a process that has ended. */
const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid as number

describe('a claim', () => {
  test('keeps others from it until it is released', () => {
    const directory = temporaryDirectory()
    const owner = claimsIn(directory, process.ppid)
    expect(owner.take(key)).toBe(true)
    expect(claimsIn(directory, process.pid).take(key)).toBe(false)
    owner.release(key)
    expect(claimsIn(directory, process.pid).take(key)).toBe(true)
  })

  test('is taken by one of two who saw it free', () => {
    const directory = temporaryDirectory()
    const [one, other] = [claimsIn(directory, process.ppid), claimsIn(directory, process.pid)]
    expect([
      one.take({ ...key, bytes: Buffer.from('other') }),
      other.take({ ...key, bytes: Buffer.from('other') }),
    ]).toEqual([true, false])
    expect([one.take(key), other.take(key)]).toEqual([true, false])
  })

  test('does not keep its own process from it', () => {
    const directory = temporaryDirectory()
    expect(claimsIn(directory, process.pid).take(key)).toBe(true)
    expect(claimsIn(directory, process.pid).take(key)).toBe(true)
  })

  test('ends with the process that had it', () => {
    const directory = temporaryDirectory()
    expect(claimsIn(directory, deadPid()).take(key)).toBe(true)
    expect(claimsIn(directory, process.pid).take(key)).toBe(true)
  })

  test.each([
    ['another machine', 'there', 1_000, false],
    ['another machine', 'there', 3_000, true],
    ['a living process', 'here', 9_000, false],
    ['a living process', 'here', 11_000, true],
    ['a clock that is ahead', 'here', -60_000, true],
  ])('of %s (%s), %i ms old, may be taken: %s', (_whose, host, ageMs, isFree) => {
    const directory = temporaryDirectory()
    expect(claimsIn(directory, process.ppid, { host }).take(key)).toBe(true)
    expect(claimsIn(directory, process.pid, { aheadMs: ageMs }).take(key)).toBe(isFree)
  })

  test('is released by its owner alone', () => {
    const directory = temporaryDirectory()
    expect(claimsIn(directory, process.ppid).take(key)).toBe(true)
    claimsIn(directory, process.pid).release(key)
    expect(claimsIn(directory, process.pid).take(key)).toBe(false)
  })
})
