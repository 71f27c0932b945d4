// A loader that brings modules to old browsers, with a banner from a file of its own.

const { readFileSync } = require('node:fs')
const { join } = require('node:path')
const { cacheLoader } = require('wicked-cache/webpack')

async function babel(source) {
  const { targets } = this.getOptions()
  // A file that counts: named to webpack, so that an edit is noticed.
  const banner = join(this.rootContext, 'banner.txt')
  this.addDependency(banner)
  const { transformAsync } = await import('@babel/core')
  const presets = [['@babel/preset-env', { modules: false, targets }]]
  const options = {
    presets,
    filename: this.resourcePath,
    sourceMaps: true,
    inputSourceMap: false,
    configFile: false,
    babelrc: false,
  }
  const { code, map } = await transformAsync(source, options)
  this.callback(null, `/*! ${readFileSync(banner, 'utf8').trim()} */${code}`, map)
}

module.exports = cacheLoader(babel, { name: 'babel-with-banner', version: '1.0.0', portable: true })
