// Computing where a part of the library can't be loaded, because the package was replaced or removed since the process began: as
// without a cache. It needs no other part itself.

import { relative, resolve, sep } from 'node:path'
import type { AnalyzeContext, CallResult, ComputeContext, PathLike, SourceText } from '../api/index.js'
import { childOf } from '../base/child.js'
import type { Entries } from '../entries/entries.js'
import { existsSync, readdirSync, readFileSync } from '../files/node-fs.js'
import { plainGlob } from '../inputs/glob.js'
import type { Project } from '../project/project.js'
import { currentComputation } from './frame.js'

/** What the caller has said, as far as it matters without a cache. */
export interface Said {
  files?: readonly PathLike[] | ((...args: never[]) => readonly PathLike[]) | undefined
  onResult?: ((result: CallResult) => void) | undefined
}

/** What the author's function returns. `file` is what is analyzed. @throws what `compute` throws; errors of reading the file */
export function computeUncached(
  entries: Entries,
  compute: (context: never) => unknown,
  { files, onResult }: Said = {},
  file?: PathLike | SourceText,
): unknown {
  currentComputation()?.recorder.spoil()
  const startedAt = process.uptime()
  const seen = new Set<string>()
  const look = <P extends PathLike>(path: P): P => {
    // What a data: URL holds stands in itself.
    if (path && !/^data:/.test((path as URL).protocol)) seen.add(absolutePath(path))
    return path
  }
  if (Array.isArray(files)) files.forEach(look)
  const context: ComputeContext = {
    readFile: path => readFileSync(look(path), 'utf8'),
    readBytes: path => new Uint8Array(readFileSync(look(path))),
    exists: path => existsSync(look(path)),
    readDirectory: path => readdirSync(look(path)).sort(),
    glob: (patterns, options) => plainGlob(entries.store.environment.files, patterns, options),
    addDependency: paths => [...(isOne(paths) ? [paths] : paths)].forEach(look),
    env: name => process.env[name],
    expiresIn: () => undefined,
    run: fn => fn(),
    untracked: fn => fn(),
  }
  if (file !== undefined) Object.assign(context, analyzed(entries.project, file, look))
  const tell = (value: unknown) => {
    const computeMs = (process.uptime() - startedAt) * 1000
    onResult?.({ isHit: false, reason: 'unreadable', files: [...seen], computeMs })
    return value
  }
  const value = compute(context as never)
  return value instanceof Promise ? value.then(tell) : tell(value)
}

function analyzed(project: Project | undefined, file: PathLike | SourceText, look: (path: PathLike) => PathLike) {
  const isText = typeof file === 'object' && 'source' in file
  const path = isText ? file.path : file
  const bytes = isText ? Buffer.from(file.source) : readFileSync(look(path))
  const relativePath = placeIn(project, absolutePath(path))
  const absolute = resolve(project?.dir ?? '', relativePath)
  return {
    path: absolute,
    relativePath,
    bytes,
    source: isText ? file.source : bytes.toString(),
  } satisfies Partial<AnalyzeContext>
}

/** From the project's directory, with `/` between the parts; absolute for a file elsewhere. */
function placeIn(project: Project | undefined, path: string): string {
  return project && path.startsWith(childOf(project.top, '')) ? relative(project.dir, path).replaceAll(sep, '/') : path
}

/** @throws TypeError for what is no path */
export function absolutePath(path: PathLike): string {
  return resolve(typeof path === 'string' ? path : process.getBuiltinModule('node:url').fileURLToPath(path))
}

function isOne(paths: PathLike | Iterable<PathLike>): paths is PathLike {
  return typeof paths === 'string' || 'href' in paths
}
