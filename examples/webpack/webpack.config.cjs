// With `babel` as its environment, `wicked-cache/babel` in the place of babel-loader; else a loader of this project.

const options = { targets: 'ie 11' }
const ours = { loader: require.resolve('./loader.cjs'), options }
const babel = { loader: 'wicked-cache/babel', options: { ...options, presets: ['@babel/preset-env'] } }

module.exports = ({ babel: isBabel } = {}) => ({
  entry: './src/main.js',
  mode: 'development',
  devtool: 'source-map',
  module: { rules: [{ test: /src.*\.js$/, use: isBabel ? babel : ours }] },
})
