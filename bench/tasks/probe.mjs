// Whether a peer works here at all: a native addon may have no binary for this machine.
import { load } from './timing.mjs'

/** @param {{ peer: string, dir: string }} args */
export async function run({ peer, dir }) {
  const { open } = await load(peer)
  const store = await open(dir)
  await store.setMany([{ key: 'a', value: { b: [1] } }])
  await store.set('c', { d: 2 })
  const values = [await store.get('a'), await store.get('c'), await store.get('none')]
  await store.close()
  if (JSON.stringify(values) !== '[{"b":[1]},{"d":2},null]') throw new Error(`It gave ${JSON.stringify(values)}.`)
  return {}
}
