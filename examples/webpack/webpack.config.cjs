// With `babel` in its environment, `wicked-cache/babel` in the place of babel-loader; with `babel-loader`, that one and its own cache; else a
// loader of this project. With `own-cache`, webpack keeps a cache itself.

const options = { targets: 'ie 11' }
const presets = ['@babel/preset-env']
const ours = { loader: require.resolve('./loader.cjs'), options }
const babel = { loader: 'wicked-cache/babel', options: { ...options, presets } }
const babelLoader = { loader: 'babel-loader', options: { ...options, presets, cacheDirectory: '.babel-loader' } }
const ownCache = { type: 'filesystem', cacheDirectory: `${__dirname}/.webpack` }

module.exports = (env = {}) => ({
  entry: './src/main.js',
  mode: 'development',
  devtool: 'source-map',
  cache: env['own-cache'] ? ownCache : false,
  module: { rules: [{ test: /src.*\.js$/, use: env.babel ? babel : env['babel-loader'] ? babelLoader : ours }] },
})
