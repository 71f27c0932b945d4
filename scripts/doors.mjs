// Makes one file of what every process needs and, as text, of what few do: a part is compiled when the first of its functions
// is called. V8 takes a tenth of the time to pass over a text that it takes to parse as much code.
//
// A part is a function of what it needs of the core, so there is one core in a process. What a door leads to exports, besides
// types, functions alone. Nobody's source says which these are but the list of doors.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const RELATIVE = /^\.\.?\//
const EXPORTED_FUNCTION = /^export (?:async )?function (\w+)/gm
const OTHER_EXPORT = /^export (?!type |interface |(?:async )?function )/m
const NAMED_IMPORT = /^import \{([^}]*)\} from '(\.[^']+)'/gm

/**
 * In the realm that the core is in, which may be that of a test runner: values are told apart by their prototypes. Where no
 * text may be compiled in it, `node:vm` does so in the main one.
 */
const COMPILED = `
  const PARAMETERS = ['$core', '$import', 'require', 'module']
  export function compiled(text) {
    try {
      return new Function(...PARAMETERS, text)
    } catch (error) {
      if (!(error instanceof EvalError)) throw error
      return process.getBuiltinModule('node:vm').compileFunction(text, PARAMETERS)
    }
  }`

/** Builds `outfile` from the entry, with a part for each door, which is a source file. */
export async function buildWithDoors({ build, root, options, entry, outfile, doors }) {
  const behind = new Set(doors.map(file => join(root, file)))
  const fileOf = ({ path, resolveDir }) => {
    const file = join(resolveDir, path)
    const source = file.replace(/\.js$/, '.ts')
    return existsSync(source) ? source : file
  }
  const aliasOf = (file, name) => `${relative(root, file).replace(/\W/g, '_')}_${name}`
  /** What parts need of the core: names by file. */
  const needed = new Map()
  /** Texts of parts by file. */
  const texts = new Map()

  const withDoors = {
    name: 'with-doors',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: RELATIVE }, args =>
        behind.has(fileOf(args)) ? { path: fileOf(args), namespace: 'door' } : undefined,
      )
      onResolve({ filter: /^core$/ }, () => ({ path: 'core', namespace: 'core' }))
      onResolve({ filter: /^compiled$/ }, () => ({ path: 'compiled', namespace: 'compiled' }))
      onLoad({ filter: /./, namespace: 'compiled' }, () => ({ contents: COMPILED }))
      onLoad({ filter: /./, namespace: 'core' }, () => {
        const exports = [...needed].map(([file, names]) => {
          const list = [...names].map(name => `${name} as ${aliasOf(file, name)}`)
          return `export { ${list.join(', ')} } from ${JSON.stringify(`./${relative(root, file)}`)}`
        })
        return { contents: exports.join('\n'), resolveDir: root }
      })
      onLoad({ filter: /./, namespace: 'door' }, ({ path }) => {
        const text = readFileSync(path, 'utf8')
        if (OTHER_EXPORT.test(text))
          throw new Error(`${path} is behind a door: it must export functions and types alone`)
        const contents = `
          import * as core from 'core'
          import { compiled } from 'compiled'
          const text = ${JSON.stringify(texts.get(path) ?? '')}
          let part
          const load = () => part ??= compiled(text)(core, name => import(name), process.getBuiltinModule, {})
          ${[...text.matchAll(EXPORTED_FUNCTION)]
            .map(([, name]) => `export const ${name} = (...given) => load().${name}(...given)`)
            .join('\n')}`
        return { contents, resolveDir: dirname(path) }
      })
    },
  }

  /** Has parts take from the core what is in it. */
  const withCore = core => ({
    name: 'with-core',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: RELATIVE }, args =>
        core.has(fileOf(args)) ? { path: fileOf(args), namespace: 'core' } : undefined,
      )
      onLoad({ filter: /./, namespace: 'core' }, ({ path }) => {
        const names = [...(needed.get(path) ?? [])]
        return { contents: names.map(name => `export const ${name} = $core.${aliasOf(path, name)}`).join('\n') }
      })
    },
  })

  const filesOf = async (entryPoints, plugins) => {
    const { metafile } = await build({ ...options, entryPoints, outdir: 'dist', write: false, plugins })
    return Object.keys(metafile.inputs).map(file => join(root, file))
  }
  const plugins = [...options.plugins, withDoors]
  const core = new Set(await filesOf([entry], plugins))
  for (const file of await filesOf([...behind], options.plugins)) {
    if (core.has(file)) continue
    for (const [, list, path] of readFileSync(file, 'utf8').matchAll(NAMED_IMPORT)) {
      const target = fileOf({ path, resolveDir: dirname(file) })
      if (!core.has(target)) continue
      const names = needed.get(target) ?? new Set()
      needed.set(target, names)
      for (const each of list.split(',').map(text => text.trim().replace(/ as .*/, ''))) {
        if (each !== '' && !each.startsWith('type ')) names.add(each)
      }
    }
  }
  const bundles = []
  for (const file of behind) {
    const part = await build({
      ...options,
      entryPoints: [file],
      write: false,
      outdir: 'dist',
      format: 'cjs',
      footer: { js: 'return module.exports' },
      plugins: [...options.plugins, withCore(core)],
    })
    // A text has no module that an import could be made from.
    const text = part.outputFiles[0].text.replace(/\bimport\("/g, '$import("')
    texts.set(file, `${text}//# sourceURL=wicked-cache:${relative(root, file)}`)
    bundles.push(part)
  }
  return [await build({ ...options, entryPoints: [entry], outfile, plugins }), ...bundles]
}
