// What a set and a get of a response of 600 bytes cost through Keyv and unstorage: CPU time. Prints a table of docs/hosts.md:
//
//   npm run test:hosts && test/hosts/node_modules/node-24/bin/node test/hosts/measure-stores.mjs
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Keyv as Keyv5 } from 'keyv'
import { Keyv as Keyv6 } from 'keyv-6'
import { createStorage } from 'unstorage'
import fsDriver from 'unstorage/drivers/fs'
import { openCacheSync } from 'wicked-cache'
import { KeyvStore } from 'wicked-cache/keyv'
import { unstorageDriver } from 'wicked-cache/unstorage'

const COUNT = 3000
const RUNS = 5
const RESPONSE = { url: 'https://example.org/a/b', status: 200, headers: { a: 'x'.repeat(80) }, body: 'z'.repeat(400) }

const directory = mkdtempSync(join(tmpdir(), 'wicked-cache-measure-'))
const cache = openCacheSync({ dir: join(directory, 'cache') })
let count = 0
const namespace = () => cache.namespace(`run ${++count}`, { project: false })

const CONTENDERS = {
  'Keyv 5 in a Map': () => new Keyv5(),
  'Keyv 5 with `KeyvStore`': () => new Keyv5({ store: new KeyvStore(namespace()) }),
  'Keyv 6 in a Map': () => new Keyv6(),
  'Keyv 6 with `KeyvStore`': () => new Keyv6({ store: new KeyvStore(namespace()) }),
  'unstorage, `fs` driver': () => storage(fsDriver({ base: join(directory, `fs ${++count}`) })),
  'unstorage, `unstorageDriver`': () => storage(unstorageDriver(namespace())),
}

function storage(driver) {
  const made = createStorage({ driver })
  return { set: (key, value) => made.setItem(key, value), get: key => made.getItem(key) }
}

/** Of one call. */
async function microseconds(call) {
  const before = process.cpuUsage()
  for (let i = 0; i < COUNT; i++) await call(`key-${i}`)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / COUNT
}
const median = list => list.toSorted((one, other) => one - other)[Math.floor(list.length / 2)]

console.log('| | set | get |')
console.log('| --- | ---: | ---: |')
for (const [name, create] of Object.entries(CONTENDERS)) {
  const [sets, gets] = [[], []]
  for (let run = 0; run < RUNS; run++) {
    const store = create()
    sets.push(await microseconds(key => store.set(key, RESPONSE)))
    gets.push(await microseconds(key => store.get(key)))
  }
  console.log(`| ${name} | ${median(sets).toFixed(0)} µs | ${median(gets).toFixed(0)} µs |`)
}
cache.close()
rmSync(directory, { recursive: true, force: true })
