// The hook, as an editor assistant calls it: the event on standard input, the answer on standard output.

import { demo } from '../shared/demo.mjs'

const file = 'src/Observable.ts'

await demo({
  page: 'assistant-hook',
  host: 'Hook, one file',
  directory: import.meta.dirname,
  sources: { [file]: 'rxjs/src/internal/Observable.ts' },
  run: ['node', 'exports.cjs'],
  input: JSON.stringify({ tool_name: 'Edit', tool_input: { file_path: file } }),
  runs: 21,
  edits: [{ file, change: text => text.replace('class Observable', 'class Renamed') }],
})
