// A page with the sources of rxjs, built twice; then the dev server, with edits.

import assert from 'node:assert/strict'
import { demo, versionOf } from '../shared/demo.mjs'

await demo({
  page: 'vite',
  host: `Vite ${versionOf('vite')}`,
  directory: import.meta.dirname,
  sources: { 'src/rxjs': 'rxjs/dist/esm' },
  run: ['node', 'node_modules/vite/bin/vite.js', 'build', '--logLevel', 'error'],
  output: 'dist',
  edits: [{ file: 'banner.txt', change: () => 'Another banner' }],
  more(project) {
    project.edit('banner.txt', () => 'The example of a banner')
    const browse = () => project.run(['node', '--experimental-websocket', 'dev.mjs'])
    const first = browse()
    assert.equal(
      first.printed,
      `225 modules, 225 with the banner
update /src/main.js
true
full-reload
true
`,
    )
    const { printed, hits } = browse()
    assert.equal(printed, first.printed)
    assert.ok(hits >= 225, `${hits} hits`)
  },
})
