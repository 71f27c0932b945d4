#!/usr/bin/env node
// The program itself. Scripts and editors ask a tool for its version often, so that answer comes before yargs, the
// commands and the library are evaluated.

const version = process.env.WICKED_CACHE_BUILD_VERSION ?? 'unbuilt'
const args = process.argv.slice(2)

if (args.length === 1 && args[0] === '--version') {
  process.stdout.write(`${version}\n`)
} else {
  const { run } = await import('./program.js')
  const { stdin, stdout, stderr, env } = process
  // Not process.exit(): it would cut off what a pipe has not taken yet.
  process.exitCode = await run(args, {
    stdin,
    stdout,
    stderr,
    env,
    version,
    library: () => import('../src/index.js'),
    stopped: () =>
      new Promise(resolve => {
        // Not once: npx passes a signal on that the terminal has sent to all.
        for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => resolve())
      }),
  })
}
