// Loaded into each Node process of an example: notes the CPU time that it took.
const { appendFileSync } = require('node:fs')
const { isMainThread } = require('node:worker_threads')

if (isMainThread) {
  process.on('exit', () => {
    const { user, system } = process.cpuUsage()
    appendFileSync(process.env.EXAMPLE_CPU_FILE, `${user + system}\n`)
  })
}
