// A plugin that brings modules to old browsers. It knows nothing of a cache.

export const version = '1.0.0'

export const babel = ({ targets }) => ({
  name: 'babel',
  async transform(code, id) {
    if (!/[\\/]src[\\/].*\.js$/.test(id)) return
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
    return { code: result.code, map: result.map }
  },
})
