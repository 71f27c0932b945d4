// Runs the tests and prints what comes out, without times. With `own-cache`, Jest keeps a cache itself.

const { runCLI } = require('jest')

const cache = process.argv[2] === 'own-cache'
const transform = { '\\.js$': '<rootDir>/transformer.cjs' }
const config = { rootDir: __dirname, cacheDirectory: '<rootDir>/.jest', transform }

runCLI({ config: JSON.stringify(config), cache, runInBand: true, reporters: [] }, [__dirname]).then(({ results }) => {
  for (const { testResults } of results.testResults) {
    for (const { title, status, failureMessages } of testResults)
      console.log(title, status, failureMessages[0]?.split('\n')[0] ?? '')
  }
})
