// Builds src/ into dist/ with the Babel that is named.

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import plugin from './plugin.mjs'

const [name = '@babel/core'] = process.argv.slice(2)
const module = await import(name)
const babel = module.default ?? module

for (const file of readdirSync('src', { recursive: true }).filter(each => each.endsWith('.js'))) {
  const options = { plugins: [plugin], configFile: false, babelrc: false }
  try {
    const { code } = await babel.transformFileAsync(join('src', file), options)
    mkdirSync(dirname(join('dist', file)), { recursive: true })
    writeFileSync(join('dist', file), code)
  } catch (error) {
    console.log(error.message)
  }
}
