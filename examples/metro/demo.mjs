// A bundle with the sources of rxjs: with this cache, and with Metro's own files.

import { demo, versionOf } from '../shared/demo.mjs'

// Metro needs Node 22.13 or later.
const [major, minor] = process.versions.node.split('.').map(Number)
const node = major > 22 || (major === 22 && minor >= 13) ? 'node' : 'node_modules/node-24/bin/node'

await demo({
  page: 'metro',
  host: `Metro ${versionOf('metro')}`,
  directory: import.meta.dirname,
  sources: { 'src/rxjs': 'rxjs/dist/esm' },
  run: [node, 'build.cjs'],
  peers: [{ name: "Metro's `FileStore`", run: [node, 'build.cjs', 'own-cache'] }],
  output: 'dist',
  edits: [{ file: 'src/main.js', change: text => text.replace('seconds', 'intervals') }],
})
