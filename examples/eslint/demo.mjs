// The sources of rxjs, linted by two threads, and in a process that lives on.

import assert from 'node:assert/strict'
import { demo, versionOf } from '../shared/demo.mjs'

const CYCLE = 'The file imports itself: ../Observable.js > isFunction.js.'

const eslint = ['node', 'node_modules/eslint/bin/eslint.js', '--concurrency', '2']

await demo({
  page: 'eslint',
  host: `ESLint ${versionOf('eslint')}`,
  directory: import.meta.dirname,
  sources: { src: 'rxjs/dist/esm/internal' },
  run: [...eslint, 'src'],
  // In a place of its own, because ESLint without `--cache` deletes the usual one.
  peers: [{ name: 'ESLint `--cache`', run: [...eslint, '--cache', '--cache-location', '.cache/', 'src'] }],
  edits: [{ file: 'src/util/isFunction.js', change: text => `import '../Observable'\n${text}` }],
  more(project) {
    project.edit('src/util/isFunction.js', text => text.replace(/.*\n/, ''))
    assert.equal(
      project.run(['node', 'editor.mjs']).printed,
      `as it is saved: no cycle
with an import that is not saved: ${CYCLE}
without it again: no cycle
once the other file imports nothing: no cycle
once it imports again: ${CYCLE}
`,
    )
  },
})
