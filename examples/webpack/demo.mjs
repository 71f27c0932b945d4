// A page with the sources of rxjs: by a loader of the project, and by Babel in the place of babel-loader.

import { demo, versionOf } from '../shared/demo.mjs'

const common = { directory: import.meta.dirname, sources: { 'src/rxjs': 'rxjs/dist/esm' }, output: 'dist' }
const webpack = `webpack ${versionOf('webpack')}`

await demo({
  ...common,
  host: `${webpack}, a loader`,
  run: ['node', 'build.cjs'],
  edits: [{ file: 'banner.txt', change: () => 'Another banner' }],
})

await demo({
  ...common,
  host: `${webpack}, babel-loader ${versionOf('babel-loader')}, Babel ${versionOf('@babel/core')}`,
  run: ['node', 'build.cjs', 'babel'],
  edits: [{ file: 'src/main.js', change: text => text.replace('seconds', 'intervals') }],
})
