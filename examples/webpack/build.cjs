const webpack = require('webpack')
const configure = require('./webpack.config.cjs')

webpack(configure({ babel: process.argv[2] === 'babel' })).run((error, stats) => {
  if (error || stats.hasErrors()) throw error ?? new Error(stats.toString())
})
