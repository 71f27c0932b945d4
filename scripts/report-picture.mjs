// Makes docs/report.png, the picture of a report in the README: fills a cache as plugins would in a month, and has Chromium take the
// picture. Run it after a build: node scripts/report-picture.mjs
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const picture = join(root, 'docs', 'report.png')
const MAX_BYTES = 150_000
const DAY_MS = 86_400_000
const DAYS = 30

// The library's clock, before it is loaded.
const realNow = Date.now
let offsetMs = -DAYS * DAY_MS
Date.now = () => realNow() + offsetMs
let computedMs = 0
const realUptime = process.uptime
process.uptime = () => realUptime.call(process) + computedMs / 1000
const { openCacheSync } = await import('../dist/index.js')

let seed = 7
const random = () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
  return seed / 2 ** 31
}

const PLUGINS = [
  { name: 'eslint-plugin-imports', repeats: 60, perDay: 160, ms: 40 },
  { name: '@acme/outline', repeats: 60, perDay: 90, ms: 12 },
  { name: 'css-modules', repeats: 90, perDay: 40, ms: 90 },
  { name: 'codemods', repeats: 14, perDay: 30, ms: 150 },
  { name: 'commit-hooks', repeats: 8, perDay: 25, ms: 20 },
]
const PROJECTS = ['/home/ada/shop', '/home/ada/site', '/home/ada/design-system']
const DIRECTORIES = [
  'src/cart',
  'src/checkout',
  'src/search',
  'src/ui/forms',
  'src/ui/tables',
  'test/unit',
  'scripts/ci',
]

const directory = mkdtempSync(join(tmpdir(), 'wicked-cache-picture-'))
const dir = join(directory, 'cache')
try {
  for (let day = 0; day < DAYS; day++) {
    offsetMs = (day + 1 - DAYS) * DAY_MS
    // At weekends, less is done.
    if (day % 7 > 4 && random() < 0.7) continue
    await workOn(day)
  }
  const page = join(directory, 'report.html')
  execFileSync(process.execPath, [join(root, 'dist', 'cli.cjs'), 'report', '--dir', dir, '--out', page])
  takePicture(page)
  const { size } = statSync(picture)
  if (size > MAX_BYTES) throw new Error(`The picture has ${size} bytes, more than ${MAX_BYTES}.`)
  console.log(`${picture}: ${size} bytes`)
} finally {
  rmSync(directory, { recursive: true, force: true })
}

async function workOn(day) {
  const cache = openCacheSync({ dir, onWarning: console.error })
  for (const { name, repeats, perDay, ms } of PLUGINS) {
    for (const [at, project] of PROJECTS.entries()) {
      const entries = cache.namespace(name, { project })
      const count = Math.ceil((perDay * (0.5 + random())) / (at + 1))
      for (let n = 0; n < count; n++) {
        const file = Math.floor(random() * (20 + 8 * day))
        const key = `${DIRECTORIES[file % DIRECTORIES.length]}/file-${file}.ts`
        // Plugins that look at the same sources often store the same.
        const text = `${file % 3 === 0 ? '' : name} ${project} ${file}`.repeat(repeats * (1 + (file % 5)))
        entries.getOrSetSync(key, () => {
          computedMs += ms * (0.5 + random())
          return text
        })
        if (random() < 0.04) entries.invalidate(key)
        for (let again = 0; again < 3; again++) entries.get(key)
      }
    }
  }
  if (day % 6 === 5) await cache.gc({ maxSize: '5MB' })
  else await cache.gc()
  cache.close()
}

function takePicture(page) {
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--hide-scrollbars']
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync']
  const own = [`--user-data-dir=${join(directory, 'profile')}`, '--window-size=1140,1110', `--screenshot=${picture}`]
  execFileSync('chromium', [...flags, ...quiet, ...own, `file://${page}`], { stdio: 'ignore' })
}
