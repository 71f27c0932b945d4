// Bundles src/main.js into dist/. With `own-cache`, Metro keeps its files.

const { mkdirSync, rmSync } = require('node:fs')
const Metro = require('metro')

async function build() {
  // The names of all files: found anew each time.
  rmSync('.map', { recursive: true, force: true })
  mkdirSync('.map')
  mkdirSync('dist', { recursive: true })
  const config = await Metro.loadConfig({ config: require.resolve('./metro.config.cjs') })
  const { code } = await Metro.runBuild(config, { entry: 'src/main.js', out: 'dist/main.js', dev: false })
  if (!code) throw new Error('Nothing was built.')
}

build().catch(error => {
  console.error(error)
  process.exitCode = 1
})
