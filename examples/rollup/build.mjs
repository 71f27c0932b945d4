// Builds with the bundler that is named.

import { cachePlugin } from 'wicked-cache/rollup'
import { babel, version } from './plugin.mjs'

const [name = 'rollup'] = process.argv.slice(2)
const module = await import(name)
const plugins = [cachePlugin(babel, { targets: 'ie 11' }, { version, portable: true })]
const bundle = await module[name]({ input: 'src/main.js', plugins })
await bundle.write({ dir: 'dist', format: 'es', sourcemap: true })
await bundle.close()
