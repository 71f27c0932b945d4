import { defineConfig } from 'vite'
import { cachePlugin } from 'wicked-cache/rollup'
import { babel, version } from './plugin.mjs'

export default defineConfig({
  plugins: [cachePlugin(babel, { targets: 'ie 11' }, { version, portable: true })],
  build: { minify: false },
})
