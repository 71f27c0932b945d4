// A page with the sources of rxjs: by a loader of the project, and by Babel in the place of babel-loader. webpack's own cache is off,
// or alone.

import { demo, versionOf } from '../shared/demo.mjs'

const common = { directory: import.meta.dirname, sources: { 'src/rxjs': 'rxjs/dist/esm' }, output: 'dist' }
const webpack = `webpack ${versionOf('webpack')}`

await demo({
  ...common,
  page: 'webpack',
  host: `${webpack}, a loader`,
  run: ['node', 'build.cjs', 'loader'],
  peers: [{ name: "webpack's `cache: { type: 'filesystem' }`", run: ['node', 'build.cjs', 'loader', 'own-cache'] }],
  edits: [{ file: 'banner.txt', change: () => 'Another banner' }],
})

await demo({
  ...common,
  page: 'babel-loader',
  host: `${webpack}, babel-loader ${versionOf('babel-loader')}, Babel ${versionOf('@babel/core')}`,
  run: ['node', 'build.cjs', 'babel'],
  peers: [
    { name: "babel-loader's `cacheDirectory`", run: ['node', 'build.cjs', 'babel-loader'] },
    { name: "webpack's `cache: { type: 'filesystem' }`", run: ['node', 'build.cjs', 'babel', 'own-cache'] },
  ],
  edits: [{ file: 'src/main.js', change: text => text.replace('seconds', 'intervals') }],
})
