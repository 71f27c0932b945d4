// A test of the sources of rxjs: without Jest's own cache, and with that one alone.

import { demo, versionOf } from '../shared/demo.mjs'

await demo({
  page: 'jest',
  host: `Jest ${versionOf('jest')}`,
  directory: import.meta.dirname,
  sources: { 'src/rxjs': 'rxjs/dist/esm' },
  run: ['node', 'run.cjs'],
  peers: [{ name: "Jest's `cache`", run: ['node', 'run.cjs', 'own-cache'] }],
  edits: [
    {
      file: 'src/rxjs/internal/operators/toArray.js',
      change: text => text.replace('arr.push(value)', 'arr.unshift(value)'),
    },
  ],
})
