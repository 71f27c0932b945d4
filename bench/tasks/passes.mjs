// Two passes over all keys of a store, in an order that is not the one in which they were set. CPU times.
import { keyAt } from '../corpus/entries.mjs'
import { cpuMs, load } from './timing.mjs'

/** Has no divisor in common with the number of keys. */
const STRIDE = 7919

/** @param {{ peer: string, dir: string, count: number }} args */
export async function run({ peer, dir, count }) {
  const keys = Array.from({ length: count }, (_, i) => keyAt((i * STRIDE) % count))
  const start = cpuMs()
  const { open, isAsync } = await load(peer)
  const store = isAsync ? await open(dir) : open(dir)
  const opened = cpuMs()
  const pass = async () => {
    const start = cpuMs()
    for (const key of keys) {
      const value = store.get(key)
      if ((isAsync ? await value : value) === undefined) throw new Error(`${peer} missed ${key}.`)
    }
    return cpuMs() - start
  }
  const first = await pass()
  const second = await pass()
  return { opening: opened - start, first, second }
}
