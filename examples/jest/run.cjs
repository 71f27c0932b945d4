// Runs the tests and prints what comes out, without times.

const { runCLI } = require('jest')

const config = { rootDir: __dirname, transform: { '\\.js$': '<rootDir>/transformer.cjs' } }

runCLI({ config: JSON.stringify(config), cache: false, runInBand: true, reporters: [] }, [__dirname]).then(
  ({ results }) => {
    for (const { testResults } of results.testResults) {
      for (const { title, status, failureMessages } of testResults)
        console.log(title, status, failureMessages[0]?.split('\n')[0] ?? '')
    }
  },
)
