// Where a fresh process spends its time, from inside: import, open, the first get, nine more.
import { load } from './timing.mjs'

/** @param {{ peer: string, dir: string, keys: string[] }} args */
export async function run({ peer, dir, keys }) {
  const times = [performance.now()]
  const { open, isAsync } = await load(peer)
  times.push(performance.now())
  const store = isAsync ? await open(dir) : open(dir)
  times.push(performance.now())
  const values = []
  for (const key of keys) {
    values.push(isAsync ? await store.get(key) : store.get(key))
    times.push(performance.now())
  }
  if (values.some(value => value === undefined)) throw new Error(`${peer} missed.`)
  const [start = 0, imported = 0, opened = 0, first = 0] = times
  const end = times.at(-1) ?? 0
  return { import: imported - start, open: opened - imported, first: first - opened, more: end - first }
}
