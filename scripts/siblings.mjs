// Bundles a program into CommonJS files: the core, which every process loads, and its siblings, which the core `require`s
// when one of their functions is first called. The sources know nothing of this: they import each other as usual, and a list
// of source files says where a sibling begins.
//
// - A module that the core imports is in the core, and the siblings take it from there: a process has one of each.
// - An import of a sibling's first file becomes functions that load the sibling when they are called. So others import only
//   functions and types from that file.
// - A module that several siblings need, and the core doesn't, is in a file of theirs: `background-gc+gc.cjs`; or in the first
//   of them that is said to lend its modules, since it is loaded before the others anyway.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const NAMED_IMPORT = /^(?:import|export) (?:[\w$]+, )?\{([^}]*)\} from ['"]([^'"]+)['"]/gm

const LOADER = 'siblingOf'

/**
 * @typedef {object} Program
 * @property {import('esbuild').BuildOptions} options
 * @property {string} root all other paths are below it
 * @property {string} entry the source file that exports what the core exports
 * @property {string} core the output that every process loads
 * @property {string} [start] a statement at the end of the core
 * @property {Record<string, string | string[]>} siblings the source files that each begins with, by name
 * @property {string[]} [lenders] siblings that lend the others what they share
 * @property {string[]} [inCore] modules for the core that only siblings need: too small for files of their own
 * @property {string} directory where the siblings go
 * @property {boolean} [isBundled] whether others bundle it: Node's modules are had from `process.getBuiltinModule` then, since
 *   esbuild makes ES modules in which `require` of them fails
 * @property {string} [errors] a module of the core that exports `siblingOf`, which throws an error of the program's own where a
 *   sibling cannot be loaded, or is not of the same build
 */

/**
 * Returns what esbuild returned for each output.
 *
 * @param {typeof import('esbuild').build} build
 * @param {Program} program
 */
export async function buildWithSiblings(build, program) {
  const {
    options,
    root,
    entry,
    core,
    start = '',
    siblings,
    lenders = [],
    inCore = [],
    directory,
    isBundled,
    errors,
  } = program
  const lazyFiles = new Map(
    Object.entries(siblings).flatMap(([name, files]) => [files].flat().map(file => [file, name])),
  )
  const { metafile } = await build({
    ...options,
    entryPoints: [entry, ...lazyFiles.keys()],
    format: 'esm',
    outdir: join(directory, 'unused'),
    write: false,
    metafile: true,
  })
  const { inputs } = metafile
  const stamp = buildOf([JSON.stringify(siblings), ...Object.keys(inputs).map(file => readFileSync(join(root, file)))])
  const publicNames = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint === entry)?.exports ?? []

  /** The files that this one needs at once. */
  const reachedFrom = file => {
    const reached = new Set()
    const visit = each => {
      if (reached.has(each)) return
      reached.add(each)
      for (const { path, external } of inputs[each].imports) if (!external && !lazyFiles.has(path)) visit(path)
    }
    visit(file)
    return reached
  }
  /** The name of the output that each file is in; the core's is ''. */
  const outputOf = new Map([entry, ...inCore].flatMap(file => [...reachedFrom(file)].map(each => [each, ''])))
  const namesOf = new Map()
  for (const [file, name] of lazyFiles) {
    for (const each of reachedFrom(file)) {
      if (!outputOf.has(each)) namesOf.set(each, new Set([...(namesOf.get(each) ?? []), name]))
    }
  }
  for (const [file, names] of namesOf) {
    outputOf.set(file, lenders.find(name => names.has(name)) ?? [...names].join('+'))
  }

  /** The file that an import leads to; undefined for those that stay as they are. */
  const targetOf = (importer, request) => {
    if (request.startsWith('node:')) return request
    return inputs[importer]?.imports.find(({ original, external }) => original === request && !external)?.path
  }
  const imports = [...outputOf].flatMap(([importer, output]) => {
    const text = readFileSync(join(root, importer), 'utf8')
    const named = [...text.matchAll(NAMED_IMPORT)].flatMap(([, list, request]) =>
      list
        .split(',')
        .map(each => each.trim().replace(/ as .*/, ''))
        .filter(name => name !== '' && !name.startsWith('type '))
        .map(name => ({ importer, output, file: targetOf(importer, request), name })),
    )
    for (const { path, external } of inputs[importer].imports) {
      if (
        (external && !(isBundled && path.startsWith('node:'))) ||
        outputOf.get(path) === output ||
        named.some(({ file }) => file === path)
      )
        continue
      throw new Error(`${importer} imports ${path}, which is in another file of the package: do so by names`)
    }
    return named.filter(({ file }) => file !== undefined)
  })
  const namesIn = (file, isWanted) => [
    ...new Set(imports.filter(each => each.file === file && isWanted(each)).map(({ name }) => name)),
  ]
  /** Whether the file is loaded late where this output asks for it. */
  const isLazy = (output, file) => lazyFiles.has(file) && outputOf.get(file) !== output
  for (const { importer, output, file, name } of imports) {
    if (file.startsWith('node:')) continue
    const text = readFileSync(join(root, file), 'utf8')
    if (isLazy(output, file) && !new RegExp(`^export (async )?function[ *]+${name}\\b`, 'm').test(text)) {
      throw new Error(
        `${importer} imports ${name} from ${file}, which is loaded late: only functions can be had from it`,
      )
    }
    if (outputOf.get(file) !== output && new RegExp(`^export let ${name}\\b`, 'm').test(text)) {
      throw new Error(`${importer} would not see ${file} change ${name}`)
    }
  }

  const pathOf = output => (output === '' ? core : join(directory, `${output}.cjs`))
  const requestFor = (from, to) => {
    const path = relative(dirname(pathOf(from)), pathOf(to))
    return path.startsWith('.') ? path : `./${path}`
  }
  const local = file => JSON.stringify(`./${file}`)
  const moduleName = file => file.replace(/^src\//, '').replace(/\.ts$/, '')

  /** What the output exports for the others: its modules that they import, by their names. */
  const lentBy = output => {
    const files = [...outputOf].filter(([, each]) => each === output).map(([file]) => file)
    const lent = files
      .filter(file => !lazyFiles.has(file))
      .map(file => ({
        file,
        names: [...namesIn(file, each => each.output !== output), ...(file === errors ? [LOADER] : [])],
      }))
      .filter(({ names }) => names.length > 0)
    const alias = (index, name) => `${name}_${index}`
    return {
      imports: lent.map(({ file, names }, index) => {
        const list = names.map(name => `${name} as ${alias(index, name)}`)
        return `import { ${list.join(', ')} } from ${local(file)}`
      }),
      modules: lent.map(({ file, names }, index) => {
        const list = names.map(name => `${name}: ${alias(index, name)}`)
        return `${JSON.stringify(moduleName(file))}: { ${list.join(', ')} },`
      }),
    }
  }
  const entryOf = output => {
    const { imports: lines, modules } = lentBy(output)
    if (output === '') {
      lines.push(
        `import { ${publicNames.join(', ')} } from ${local(entry)}`,
        `module.exports = { ${publicNames.join(', ')} }`,
        // For the siblings alone.
        'let internals',
        `Object.defineProperty(module.exports, 'internals', { get: () => (internals ??= { ${modules.join('\n')} }) })`,
        start,
      )
      return lines.join('\n')
    }
    const functions = []
    for (const file of [siblings[output] ?? []].flat()) {
      const names = namesIn(file, each => each.output !== output)
      if (names.length > 0) lines.push(`import { ${names.join(', ')} } from ${local(file)}`)
      functions.push(...names)
    }
    functions.push(`build: ${JSON.stringify(stamp)}`)
    lines.push(`module.exports = { ${functions.map(name => `${name},`).join(' ')} ${modules.join('\n')} }`)
    return lines.join('\n')
  }

  const linked = output => ({
    name: 'linked',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /./ }, ({ path, importer, namespace }) => {
        if (namespace !== 'file' && path.endsWith('.cjs')) return { path, external: true }
        if (path.startsWith('node:')) return isBundled ? { path, namespace: 'node' } : undefined
        if (path.startsWith('sibling:')) return { path: path.slice('sibling:'.length), namespace: 'sibling' }
        const file = namespace === 'file' ? targetOf(relative(root, importer), path) : path.replace(/^\.\//, '')
        if (!outputOf.has(file)) return undefined
        if (isLazy(output, file)) return { path: file, namespace: 'lazy' }
        return outputOf.get(file) === output ? undefined : { path: file, namespace: 'elsewhere' }
      })
      onLoad({ filter: /./, namespace: 'node' }, ({ path }) => {
        const names = namesIn(path, each => each.output === output)
        return { contents: `export const { ${names.join(', ')} } = process.getBuiltinModule('${path}')` }
      })
      onLoad({ filter: /./, namespace: 'lazy' }, ({ path }) => {
        const functions = namesIn(path, each => each.output === output)
        const lines = functions.map(name => `export const ${name} = (...given) => load().${name}(...given)`)
        lines.unshift(`import { load } from 'sibling:${outputOf.get(path)}'`)
        return { contents: lines.join('\n') }
      })
      onLoad({ filter: /./, namespace: 'sibling' }, ({ path }) => {
        const required = `require(${JSON.stringify(requestFor(output, path))})`
        const lines = errors
          ? [`import { ${LOADER} } from './${errors}'`, `export const load = ${LOADER}(() => ${required})`]
          : ['let part', `export const load = () => (part ??= ${required})`]
        return { contents: lines.join('\n'), resolveDir: root }
      })
      onLoad({ filter: /./, namespace: 'elsewhere' }, ({ path }) => {
        const names = namesIn(path, each => each.output === output)
        if (path === errors) names.push(LOADER)
        const from = outputOf.get(path)
        const required = `require(${JSON.stringify(requestFor(output, from))})`
        const isChecked = errors && from !== ''
        const lines = isChecked ? [`import { ${LOADER} } from './${errors}'`] : []
        const other = isChecked ? `${LOADER}(() => ${required})()` : `${required}${from === '' ? '.internals' : ''}`
        lines.push(`export const { ${names.join(', ')} } = ${other}[${JSON.stringify(moduleName(path))}]`)
        return { contents: lines.join('\n'), resolveDir: root }
      })
    },
  })

  const outputs = [...new Set(outputOf.values())]
  return Promise.all(
    outputs.map(async output => {
      const outfile = pathOf(output)
      const result = await build({
        ...options,
        format: 'cjs',
        metafile: true,
        stdin: { contents: entryOf(output), resolveDir: root, loader: 'ts' },
        outfile,
        // As the modules are that these are made of; what is assigned to a frozen object is an error there.
        banner: { js: "'use strict'" },
        define: { ...options.define, 'process.env.WICKED_CACHE_BUILD': JSON.stringify(stamp) },
        // The entries assign to `module.exports`.
        logOverride: { 'commonjs-variable-in-esm': 'silent' },
        plugins: [linked(output), ...(options.plugins ?? [])],
      })
      const file = join(root, outfile)
      writeFileSync(file, await withoutComments(build, withNames(readFileSync(file, 'utf8'))))
      return result
    }),
  )
}

/** Names a build by its sources: files of two builds in one process could disagree. */
function buildOf(texts) {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(text)
  return hash.digest('hex').slice(0, 8)
}

/** esbuild makes `class _Name` of classes that refer to themselves, and people would see that name. */
function withNames(text) {
  const names = [...text.matchAll(/^var (\w+) = class _\1\b/gm)].map(([, name]) => name)
  return names.reduce((named, name) => named.replace(new RegExp(`(?<![\\w$.#])_${name}\\b`, 'g'), name), text)
}

/** Lines of comments, but for those that say which source begins. */
const COMMENT_LINES = /^ *(?:\/\*\*(?:(?!\*\/)[\s\S])*\*\/|\/\/(?! (?:src|cli|node_modules)\/).*)\n/gm

/** For bundlers of modules: nothing is left out of a file like these. */
const ANNOTATIONS = /\/\* @__PURE__ \*\/ /g

/** Before the line that says which source begins, and between the variables that stand for other files. */
const BLANK_LINES = /(?<=\n)\n(?=\/\/ (?:src|cli|node_modules)\/)|(?<=^var .*;\n)\n(?=var )/gm

/** esbuild leaves the comments within classes. They are a sixth of the core, which every process reads; the sources have them all. */
async function withoutComments(build, text) {
  const short = [COMMENT_LINES, ANNOTATIONS, BLANK_LINES].reduce((left, each) => left.replace(each, ''), text)
  const [before, after] = await Promise.all([text, short].map(contents => codeOf(build, contents)))
  if (before !== after) throw new Error('What looks like lines of comments is something else.')
  return short
}

async function codeOf(build, contents) {
  const { outputFiles } = await build({ stdin: { contents }, minifyWhitespace: true, write: false, logLevel: 'silent' })
  return outputFiles[0].text
}
