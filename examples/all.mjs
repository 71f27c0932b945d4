// Installs the examples, with the package as it is published, and runs them: `npm run examples`. Writes the table of docs/hosts.md.
//
//   npm run examples -- eslint vite   some of them
//   npm run examples -- --check       without writing the table

import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { install } from '../test/package/smoke-on-node.mjs'

const here = import.meta.dirname
const page = join(here, '..', 'docs', 'hosts.md')
const { workspaces } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))
const args = process.argv.slice(2)
const named = args.filter(arg => !arg.startsWith('--'))
const temporary = mkdtempSync(join(tmpdir(), 'wicked-cache-examples-'))

try {
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent'], { cwd: here, stdio: 'inherit' })
  // npm keeps the copy of the package that it has, though the checkout has changed.
  const target = join(here, 'node_modules', 'wicked-cache')
  install(temporary)
  rmSync(target, { recursive: true, force: true })
  cpSync(join(temporary, 'node_modules', 'wicked-cache'), target, { recursive: true })

  const rows = join(temporary, 'rows')
  writeFileSync(rows, '')
  const failed = workspaces
    .filter(name => named.length === 0 || named.includes(name))
    .filter(name => {
      const env = { ...process.env, EXAMPLES_FILE: rows }
      return spawnSync(process.execPath, ['demo.mjs'], { cwd: join(here, name), stdio: 'inherit', env }).status !== 0
    })
  if (failed.length > 0) {
    console.error(`These don't work: ${failed.join(', ')}`)
    process.exitCode = 1
  } else if (named.length === 0 && !args.includes('--check')) {
    writeTable(
      readFileSync(rows, 'utf8')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
    )
  }
} finally {
  rmSync(temporary, { recursive: true, force: true })
}

function writeTable(rows) {
  const lines = rows.map(
    ({ host, without, cold, warm, ratio, hits }) =>
      `| ${host} | yes | ${without} | ${cold} | ${warm} | ${ratio} | ${hits} |`,
  )
  const table = [
    '| host | works | without | cold | warm | ratio | hits |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: |',
    ...lines,
  ]
  const [start, end] = ['<!-- examples: start -->\n', '<!-- examples: end -->']
  const text = readFileSync(page, 'utf8')
  const [before, rest] = text.split(start)
  const [, after] = rest.split(end)
  writeFileSync(page, `${before}${start}${table.join('\n')}\n${end}${after}`)
}
