// The program itself.

import { outputStream } from './direct.js'
import { run } from './run.js'

const version = process.env.WICKED_CACHE_BUILD_VERSION ?? 'unbuilt'

export function main(): void {
  run(process.argv.slice(2), {
    get stdin() {
      return process.stdin
    },
    get stdout() {
      return outputStream(1)
    },
    get stderr() {
      return outputStream(2)
    },
    env: process.env,
    version,
    library: () => import('../src/index.js'),
    stopped: () =>
      new Promise(resolve => {
        // Not once: npx passes a signal on that the terminal has sent to all.
        for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => resolve())
      }),
  }).then(code => {
    // Not process.exit(): it would cut off what a pipe has not taken yet.
    process.exitCode = code
  })
}
