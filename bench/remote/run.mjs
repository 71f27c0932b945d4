// One process of a machine: analyses of files, all at once or one after the other, and what they took.

import { join } from 'node:path'
import { openCacheSync } from '../../dist/index.js'

const { dir, project, files, remote, isInTurns, isHook, isSurrounding, isPushed } = JSON.parse(process.argv[2] ?? '')
const cpuBefore = process.cpuUsage()
const begin = performance.now()
const cache = openCacheSync(isSurrounding ? { dir } : { dir, remote: remote ?? false })
const entries = cache.namespace('outline', { project })
const analyze = (/** @type {string} */ file) =>
  entries.analyze('outline', join(project, file), ctx => {
    const names = Array.from(ctx.source.matchAll(/\b(?:function|class|const) (\w+)/g), ([, name]) => name)
    return { lines: ctx.source.split('\n').length, names }
  })
if (isInTurns) for (const file of files) await analyze(file)
else await Promise.all(files.map(analyze))
// To look at it loads it, which a hook with a local hit doesn't do.
const tier = isHook ? undefined : cache.remote
const stats = tier?.stats()
const answeredMs = performance.now() - begin
// A close waits for 5 s, in which a busy machine doesn't store 4,000 answers.
const pushed = isPushed ? await tier?.push({ project }) : undefined
await cache.close()
const { user, system } = process.cpuUsage(cpuBefore)
console.log(JSON.stringify({ cpuMs: (user + system) / 1000, answeredMs, stats, pushed }))
