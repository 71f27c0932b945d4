// Three packages, one of them with the sources of rxjs, and a tool of the repository that pnpm runs in each.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { demo, modules, versionOf } from '../shared/demo.mjs'

const pnpm = join(modules, 'pnpm', 'bin', 'pnpm.cjs')

/** What pnpm would bring from the registry is here already. */
function install(project) {
  const overrides = ['@babel/parser', 'wicked-cache'].map(name => `  '${name}': 'link:${join(modules, name)}'\n`)
  project.edit('pnpm-workspace.yaml', text => `${text}overrides:\n${overrides.join('')}`)
  execFileSync('node', [pnpm, 'install', '--offline'], { cwd: project.dir, stdio: 'pipe' })
}

await demo({
  page: 'monorepo',
  host: `pnpm ${versionOf('pnpm')}, 3 packages`,
  directory: import.meta.dirname,
  sources: { 'packages/streams/src': 'rxjs/dist/esm' },
  install,
  run: ['node', pnpm, '-r', '--workspace-concurrency=1', 'run', 'report'],
  edits: [
    {
      file: 'packages/streams/src/internal/Subject.js',
      change: text => text.replace('export class Subject', 'class Subject'),
    },
  ],
})
