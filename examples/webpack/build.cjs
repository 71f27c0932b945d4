// Builds with the loader that is named. With `own-cache`, webpack keeps a cache itself.

const webpack = require('webpack')
const configure = require('./webpack.config.cjs')

const [loader, cache] = process.argv.slice(2)
const compiler = webpack(configure({ [loader]: true, [cache]: true }))
compiler.run((error, stats) => {
  if (error || stats.hasErrors()) throw error ?? new Error(stats.toString())
  compiler.close(problem => {
    if (problem) throw problem
  })
})
