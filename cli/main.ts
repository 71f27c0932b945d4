// The program itself.

import { outputStream } from './direct.js'
import { inputStream, isWaitingForInput } from './input.js'
import { run } from './run.js'

const version = process.env.WICKED_CACHE_BUILD_VERSION ?? 'unbuilt'

export function main(): void {
  let signalled: NodeJS.Signals | undefined
  run(process.argv.slice(2), {
    get stdin() {
      return inputStream()
    },
    get stdout() {
      return outputStream(1)
    },
    get stderr() {
      return outputStream(2)
    },
    env: process.env,
    version,
    program: import.meta.filename,
    library: () => import('../src/index.js'),
    stopped: (signals = ['SIGINT', 'SIGTERM']) =>
      new Promise(resolve => {
        // Not once: npx passes a signal on that the terminal has sent to all.
        for (const signal of signals) {
          process.on(signal, () => {
            signalled = signal
            resolve()
          })
        }
      }),
  }).then(code => {
    // process.exit() would lose what a pipe hasn't accepted yet.
    process.exitCode = code
    if (signalled === undefined || !isWaitingForInput()) return
    // As without a listener: process.exit() would wait for the input.
    process.removeAllListeners(signalled)
    process.kill(process.pid, signalled)
  })
}
