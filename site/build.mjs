// Builds the site into site/dist/. The library must have been built: the reference is made of the types in dist/.
// Arguments are those of `vitepress build`, such as `--base /wicked-cache/`.
import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stagePages } from './stage.mjs'

const here = dirname(fileURLToPath(import.meta.url))

function run(program, args) {
  execFileSync(process.execPath, [join(here, 'node_modules', program), ...args], { cwd: here, stdio: 'inherit' })
}

stagePages(dirname(here), join(here, 'pages'))
run('typedoc/bin/typedoc', ['--logLevel', 'Warn'])
run('vitepress/bin/vitepress.js', ['build', ...process.argv.slice(2)])
