// How many of the keys that several processes have set are not there.
import { contendedKey } from './contend.mjs'
import { load } from './timing.mjs'

/** @param {{ peer: string, dir: string, processes: number, count: number }} args */
export async function run({ peer, dir, processes, count }) {
  const { open } = await load(peer)
  const store = await open(dir)
  let missing = 0
  for (let id = 0; id < processes; id++) {
    for (let i = 0; i < count; i++) if ((await store.get(contendedKey(id, i))) === undefined) missing++
  }
  await store.close()
  return { missing }
}
