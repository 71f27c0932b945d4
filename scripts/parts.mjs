// Makes one file of the library, in which all of its code but what compiles the rest stands as texts: the core, which every
// process needs, and a part for each door, which is compiled when the first of its functions is called. V8 takes a tenth of
// the time to pass over a text that it takes to parse as much code, and what it made of one can be kept
// (`src/loading/parts.ts`).
//
// A part is a function of what it needs of the core and of the shell around both, so there is one of each in a process. What a
// door leads to exports, besides types, functions alone. Nobody's source says which these are but the list of doors.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'

const RELATIVE = /^\.\.?\//
const EXPORTED_FUNCTION = /^export (?:async )?function (\w+)/gm
const OTHER_EXPORT = /^export (?!type |interface |(?:async )?function )/m
const NAMED_IMPORT = /^import \{([^}]*)\} from '(\.[^']+)'/gm

/** Builds `outfile` from the entry with these exports and a part for each door, a source file, in the shell that `loader` makes. */
export async function buildInParts({ build, root, options, entry, exports, outfile, doors, loader }) {
  const behind = new Set(doors.map(file => join(root, file)))
  const fileOf = ({ path, resolveDir }) => {
    const file = join(resolveDir, path)
    const source = file.replace(/\.js$/, '.ts')
    return existsSync(source) ? source : file
  }
  const aliasOf = (file, name) => `${relative(root, file).replace(/\W/g, '_')}_${name}`

  const filesOf = async (entryPoints, plugins = []) => {
    const written = { entryPoints, outdir: 'dist', write: false, plugins: [...options.plugins, ...plugins] }
    const { metafile } = await build({ ...options, ...written })
    return Object.keys(metafile.inputs).map(file => join(root, file))
  }
  const apart = setup => ({ name: 'apart', setup })
  const withoutDoors = apart(({ onResolve }) =>
    onResolve({ filter: RELATIVE }, args =>
      behind.has(fileOf(args)) ? { path: args.path, external: true } : undefined,
    ),
  )
  const shell = new Set(await filesOf([loader]))
  const core = new Set((await filesOf([entry], [withoutDoors])).filter(file => !shell.has(file)))
  const parts = (await filesOf([...behind])).filter(file => !shell.has(file) && !core.has(file))

  /** What the files take of those of the lender: names by file. */
  const takenFrom = (lender, files) => {
    const taken = new Map()
    for (const file of files) {
      for (const [, list, path] of readFileSync(file, 'utf8').matchAll(NAMED_IMPORT)) {
        const target = fileOf({ path, resolveDir: dirname(file) })
        if (!lender.has(target)) continue
        const names = taken.get(target) ?? new Set()
        taken.set(target, names)
        for (const each of list.split(',').map(text => text.trim().replace(/ as .*/, ''))) {
          if (each !== '' && !each.startsWith('type ')) names.add(each)
        }
      }
    }
    return taken
  }
  /** A module of the same name that exports all that is taken. */
  const lending = (name, taken) =>
    apart(({ onResolve, onLoad }) => {
      const namespace = `lending ${name}`
      onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: name, namespace }))
      onLoad({ filter: /./, namespace }, () => {
        const lines = [...taken].map(([file, names]) => {
          const list = [...names].map(each => `${each} as ${aliasOf(file, each)}`)
          return `export { ${list.join(', ')} } from ${JSON.stringify(`./${relative(root, file)}`)}`
        })
        return { contents: lines.join('\n'), resolveDir: root }
      })
    })
  /** Has the lender's files be what the variable holds. */
  const taking = (variable, lender, taken) =>
    apart(({ onResolve, onLoad }) => {
      const namespace = `taking ${variable}`
      onResolve({ filter: RELATIVE }, args =>
        lender.has(fileOf(args)) ? { path: fileOf(args), namespace } : undefined,
      )
      onLoad({ filter: /./, namespace }, ({ path }) => {
        const names = [...(taken.get(path) ?? [])]
        return { contents: names.map(name => `export const ${name} = ${variable}.${aliasOf(path, name)}`).join('\n') }
      })
    })
  const ofShell = takenFrom(shell, [...core, ...parts])
  const ofCore = takenFrom(core, parts)
  const withShell = taking('$shell', shell, ofShell)
  const withDoors = apart(({ onResolve, onLoad }) => {
    onResolve({ filter: RELATIVE }, args =>
      behind.has(fileOf(args)) ? { path: fileOf(args), namespace: 'door' } : undefined,
    )
    onLoad({ filter: /./, namespace: 'door' }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      if (OTHER_EXPORT.test(text)) throw new Error(`${path} is behind a door: it must export functions and types alone`)
      const contents = `
        import * as core from 'core'
        let part
        const load = () => part ??= $part('${nameOf(path)}', core)
        ${[...text.matchAll(EXPORTED_FUNCTION)]
          .map(([, name]) => `export const ${name} = (...given) => load().${name}(...given)`)
          .join('\n')}`
      return { contents, resolveDir: dirname(path) }
    })
  })

  const bundles = []
  const textOf = async (file, plugins) => {
    const format = { format: 'cjs', write: false, outdir: 'dist', plugins: [...options.plugins, ...plugins] }
    const bundle = await build({ ...options, ...format, entryPoints: [file] })
    bundles.push(bundle)
    // A text has no module that an import could be made from.
    const code = bundle.outputFiles[0].text.replace(/\bimport\("/g, '$import("')
    const text = `(function ($shell, $core, $part, $import, require, module) {${code}return module.exports })`
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 16)
    return { name: nameOf(file), digest, text, source: relative(root, file) }
  }
  const texts = [await textOf(join(root, entry), [withShell, withDoors, lending('core', ofCore)])]
  for (const file of behind) texts.push(await textOf(file, [withShell, taking('$core', core, ofCore)]))
  const list = texts.map(each => `${JSON.stringify(each.name)}: ${JSON.stringify(each)}`)
  const contents = `
    import { compile } from ${JSON.stringify(`./${loader}`)}
    import * as shell from 'shell'
    const texts = { ${list.join(', ')} }
    const part = (name, core) =>
      compile(texts[name], import.meta.dirname)(shell, core, part, name => import(name), process.getBuiltinModule, {})
    export const { ${exports.join(', ')} } = part(${JSON.stringify(texts[0].name)})`
  bundles.push(
    await build({
      ...options,
      lineLimit: 0,
      // All is one line, and its exports are at the end: whoever looks for a sign of an ES module may not get that far.
      banner: { js: 'export {}' },
      // V8 takes twice as long for a template literal.
      supported: { 'template-literal': false },
      stdin: { contents, resolveDir: root },
      outfile,
      plugins: [...options.plugins, lending('shell', ofShell)],
    }),
  )
  return bundles
}

function nameOf(file) {
  return basename(file, '.ts')
}
