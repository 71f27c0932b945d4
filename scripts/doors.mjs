// Splits a bundle in two: what every process needs, and parts that are loaded when the first of their functions is called.
//
// A part is a CommonJS file, a function of what it needs of the core. So it is there at once, for callers that cannot wait,
// and there is one core in a process whatever loader brought it in. What a door leads to exports, besides types, functions
// alone. Nobody's source says which these are but the list of doors.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const RELATIVE = /^\.\.?\//
const EXPORTED_FUNCTION = /^export (?:async )?function (\w+)/gm
const OTHER_EXPORT = /^export (?!type |interface |(?:async )?function )/m
const NAMED_IMPORT = /^import \{([^}]*)\} from '(\.[^']+)'/gm

/**
 * Builds `outdir/name.js` from the entry and a part `outdir/<part>-<id>.cjs` for each door, a source file by its part's name.
 * The id tells the parts of one build from those of another that may be installed while a process runs.
 */
export async function buildWithDoors({ build, root, options, entry, outfile, doors, id }) {
  const partOf = new Map(Object.entries(doors).map(([part, file]) => [join(root, file), part]))
  const fileOf = ({ path, resolveDir }) => {
    const file = join(resolveDir, path)
    const source = file.replace(/\.js$/, '.ts')
    return existsSync(source) ? source : file
  }
  const aliasOf = (file, name) => `${relative(root, file).replace(/\W/g, '_')}_${name}`
  /** What parts need of the core: names by file. */
  const needed = new Map()

  const withDoors = {
    name: 'with-doors',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: RELATIVE }, args =>
        partOf.has(fileOf(args)) ? { path: fileOf(args), namespace: 'door' } : undefined,
      )
      onResolve({ filter: /^core$/ }, () => ({ path: 'core', namespace: 'core' }))
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
        const file = JSON.stringify(`./${partOf.get(path)}-${id}.cjs`)
        const contents = `
          import * as core from 'core'
          let part
          const load = () => part ??= process.getBuiltinModule('node:module').createRequire(import.meta.url)(${file})(core, {})
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
  for (const file of await filesOf(Object.values(doors), options.plugins)) {
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
  return [
    await build({ ...options, entryPoints: [entry], outfile, plugins }),
    await build({
      ...options,
      entryPoints: Object.entries(doors).map(([part, file]) => ({ in: file, out: `${part}-${id}` })),
      outdir: dirname(outfile),
      outExtension: { '.js': '.cjs' },
      format: 'cjs',
      banner: { js: 'module.exports=($core,module)=>{' },
      footer: { js: 'return module.exports}' },
      plugins: [...options.plugins, withCore(core)],
    }),
  ]
}
