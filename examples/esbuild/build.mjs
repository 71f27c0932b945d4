import { build } from 'esbuild'
import { cachePlugin } from 'wicked-cache/esbuild'
import { babel, version } from './plugin.mjs'

await build({
  entryPoints: ['src/main.js'],
  bundle: true,
  target: 'es5',
  format: 'esm',
  sourcemap: true,
  outdir: 'dist',
  plugins: [cachePlugin(babel, { targets: 'ie 11' }, { version, portable: true })],
})
