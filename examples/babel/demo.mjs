// The sources of rxjs, built by Babel 7 and 8 with the same plugin.

import { demo, versionOf } from '../shared/demo.mjs'

for (const name of ['@babel/core', 'babel-7']) {
  await demo({
    page: 'babel',
    host: `Babel ${versionOf(name)}`,
    directory: import.meta.dirname,
    sources: { src: 'rxjs/dist/esm/internal' },
    run: ['node', 'build.mjs', name],
    output: 'dist',
    edits: [{ file: 'src/util/isFunction.js', change: text => text.replace('isFunction', 'isCallable') }],
  })
}
