// A plugin that brings modules to old browsers, with a banner from a file of its own. It knows nothing of a cache.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const version = '1.0.0'

export function babel({ targets }) {
  let root
  return {
    name: 'babel-with-banner',
    configResolved(config) {
      root = config.root
    },
    async transform(code, id) {
      if (!/\/src\/.*\.js$/.test(id)) return
      // A file that counts: named to the host, so that an edit is noticed.
      const banner = join(root, 'banner.txt')
      this.addWatchFile(banner)
      const { transformAsync } = await import('@babel/core')
      const presets = [['@babel/preset-env', { modules: false, targets }]]
      const result = await transformAsync(code, {
        presets,
        filename: id,
        sourceMaps: true,
        inputSourceMap: false,
        configFile: false,
        babelrc: false,
      })
      return { code: `/*! ${readFileSync(banner, 'utf8').trim()} */${result.code}`, map: result.map }
    },
  }
}
