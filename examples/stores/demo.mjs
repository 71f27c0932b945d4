// The modules of rxjs, listed by a program with each of the caches.

import { demo, versionOf } from '../shared/demo.mjs'

const outline = name => ['node', 'outline.mjs', name, 'src']

const HOSTS = [
  { page: 'keyv', name: 'keyv', host: `Keyv ${versionOf('keyv')}` },
  { page: 'keyv', name: 'cache-manager', host: `cache-manager ${versionOf('cache-manager')}` },
  { page: 'keyv', name: 'cacheable', host: `cacheable ${versionOf('cacheable')}` },
  {
    page: 'unstorage',
    name: 'unstorage',
    host: `unstorage ${versionOf('unstorage')}`,
    peers: [{ name: "unstorage's `fs` driver", run: outline('unstorage-fs') }],
  },
]

for (const { name, ...host } of HOSTS) {
  await demo({
    ...host,
    directory: import.meta.dirname,
    sources: { src: 'rxjs/dist/esm/internal' },
    run: outline(name),
    edits: [{ file: 'src/Subject.js', change: text => text.replaceAll('class Subject', 'class Topic') }],
  })
}
