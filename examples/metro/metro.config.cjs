const { realpathSync } = require('node:fs')
const { FileStore } = require('metro-cache')
const { MetroStore } = require('wicked-cache/metro')

const isOwnCache = process.argv[2] === 'own-cache'

module.exports = {
  projectRoot: __dirname,
  cacheStores: [isOwnCache ? new FileStore({ root: `${__dirname}/.metro` }) : new MetroStore()],
  fileMapCacheDirectory: `${__dirname}/.map`,
  maxWorkers: 1,
  reporter: { update: () => undefined },
  transformer: { getTransformOptions: async () => ({ transform: { experimentalImportSupport: true } }) },
  // The modules are installed elsewhere.
  watchFolders: ['metro-runtime', 'tslib'].map(name => realpathSync(`${__dirname}/node_modules/${name}`)),
}
