// A page with the sources of rxjs, built by Rollup and by Rolldown with the same plugin.

import { demo, versionOf } from '../shared/demo.mjs'

for (const [host, name] of Object.entries({ Rollup: 'rollup', Rolldown: 'rolldown' })) {
  await demo({
    page: 'rollup',
    host: `${host} ${versionOf(name)}`,
    directory: import.meta.dirname,
    sources: { 'src/rxjs': 'rxjs/dist/esm' },
    run: ['node', 'build.mjs', name],
    output: 'dist',
    edits: [{ file: 'src/main.js', change: text => text.replace('seconds', 'intervals') }],
  })
}
