// A plugin that brings modules to old browsers, which esbuild itself doesn't. It knows nothing of a cache.

import { readFile } from 'node:fs/promises'

export const version = '1.0.0'

export const babel = ({ targets }) => ({
  name: 'babel',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/].*\.js$/ }, async ({ path }) => {
      const { transformAsync } = await import('@babel/core')
      const presets = [['@babel/preset-env', { modules: false, targets }]]
      const options = {
        presets,
        filename: path,
        sourceMaps: 'inline',
        inputSourceMap: false,
        configFile: false,
        babelrc: false,
      }
      const { code } = await transformAsync(await readFile(path, 'utf8'), options)
      return { contents: code, loader: 'js' }
    })
  },
})
