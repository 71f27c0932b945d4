// A page with the sources of rxjs.

import { demo, versionOf } from '../shared/demo.mjs'

await demo({
  page: 'esbuild',
  host: `esbuild ${versionOf('esbuild')}`,
  directory: import.meta.dirname,
  sources: { 'src/rxjs': 'rxjs/dist/esm' },
  run: ['node', 'build.mjs'],
  output: 'dist',
  edits: [{ file: 'src/main.js', change: text => text.replace('seconds', 'intervals') }],
})
