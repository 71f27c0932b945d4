// Writes the type declarations: those of all sources that the entry needs, rolled up into one file for `import` and one for
// `require`, which name no other file of the package.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor'
import { writeAdapterTypes } from './adapters.mjs'

const NODE_TYPES = '/// <reference types="node" />\n\n'

/**
 * @param {{ root: string, tsc: string, names: readonly string[], withDefault: string, withoutDefault: string }} input
 *   `names` are the values that the library exports; they are the default export of the ES module as well
 */
export function writeTypes({ root, tsc, names, withDefault, withoutDefault }) {
  const directory = mkdtempSync(join(root, 'dist', 'types-'))
  try {
    execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.types.json'), '--outDir', directory], {
      stdio: 'inherit',
    })
    const rolledUp = join(directory, 'rolled-up.d.ts')
    rollUp(root, directory, rolledUp)
    writeAdapterTypes({ root, from: join(directory, 'adapters') })
    const text = NODE_TYPES + readFileSync(rolledUp, 'utf8')
    writeFileSync(withoutDefault, text)
    const members = names.map(name => `    ${name}: typeof ${name};\n`).join('')
    writeFileSync(withDefault, `${text.trimEnd()}\n\ndeclare const library: {\n${members}};\nexport default library;\n`)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function rollUp(root, directory, untrimmedFilePath) {
  const configObject = {
    projectFolder: root,
    mainEntryPointFilePath: join(directory, 'src', 'index.d.ts'),
    compiler: { tsconfigFilePath: join(root, 'tsconfig.types.json') },
    dtsRollup: { enabled: true, untrimmedFilePath },
    apiReport: { enabled: false },
    docModel: { enabled: false },
    tsdocMetadata: { enabled: false },
    messages: {
      extractorMessageReporting: {
        // It is about tags of its own.
        'ae-missing-release-tag': { logLevel: 'none' },
        default: { logLevel: 'error' },
      },
      tsdocMessageReporting: { default: { logLevel: 'none' } },
    },
  }
  const config = ExtractorConfig.prepare({
    configObject,
    configObjectFullPath: join(root, 'api-extractor.json'),
    packageJsonFullPath: join(root, 'package.json'),
  })
  const { succeeded } = Extractor.invoke(config, {
    messageCallback: message => {
      // That its TypeScript is older than the one that is installed.
      if (message.messageId === 'console-compiler-version-notice') message.handled = true
      if (message.messageId === 'console-preamble') message.handled = true
    },
  })
  if (!succeeded) throw new Error('The types could not be rolled up')
}
