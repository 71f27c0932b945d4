// A transformer for modules, with its results cached.

const { transformSync } = require('@babel/core')
const { createTransformer } = require('wicked-cache/jest')
const { version } = require('./package.json')

module.exports = createTransformer({
  getCacheKey: (source, path, { instrument, configString }) =>
    JSON.stringify([version, source, path, instrument, configString]),
  process(source, path) {
    const presets = [['@babel/preset-env', { targets: 'node 20', modules: 'commonjs' }]]
    return transformSync(source, {
      presets,
      filename: path,
      sourceMaps: 'both',
      inputSourceMap: false,
      configFile: false,
      babelrc: false,
    })
  },
})
