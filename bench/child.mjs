// A process of its own for one task: node child.mjs <task> <arguments as JSON>. Its result goes to stdout as JSON.
import { writeSync } from 'node:fs'

const [task, args] = process.argv.slice(2)
const { run } = await import(new URL(`tasks/${task}.mjs`, import.meta.url).href)
const result = JSON.stringify(await run(JSON.parse(args ?? '{}')))
for (let sent = 0, bytes = Buffer.from(result); sent < bytes.length; ) sent += writeSync(1, bytes, sent)
process.exit()
