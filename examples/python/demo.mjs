// The sources of Python's own standard library.

import { execFileSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { demo, linkModules } from '../shared/demo.mjs'

const print = program => execFileSync('python3', ['-c', program], { encoding: 'utf8' }).trim()
const library = print('import os; print(os.path.dirname(os.__file__))')

await demo({
  page: 'python',
  host: `Python ${print('import platform; print(platform.python_version())')}`,
  directory: import.meta.dirname,
  install(project) {
    linkModules(project)
    for (const name of ['asyncio', 'email', 'json', 'unittest']) {
      cpSync(join(library, name), project.at(join('src', name)), { recursive: true, dereference: true })
    }
  },
  run: ['python3', 'outline.py', 'src'],
  edits: [{ file: 'src/json/decoder.py', change: text => `def added(): pass\n${text}` }],
})
