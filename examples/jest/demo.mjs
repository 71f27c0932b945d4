// A test of the sources of rxjs, without Jest's own cache.

import { demo, versionOf } from '../shared/demo.mjs'

await demo({
  host: `Jest ${versionOf('jest')}`,
  directory: import.meta.dirname,
  sources: { 'src/rxjs': 'rxjs/dist/esm' },
  run: ['node', 'run.cjs'],
  edits: [
    {
      file: 'src/rxjs/internal/operators/toArray.js',
      change: text => text.replace('arr.push(value)', 'arr.unshift(value)'),
    },
  ],
})
