// All of a namespace that computes values: by key (`compute`), by what a file holds (`analyses`), by arguments (`wrap`).

import type { AnalyzeContext, AnalyzeOptions, ComputeContext, SetOptions, WrapOptions } from '../base/types.js'
import { Analyses } from './analyses.js'
import { Computing } from './compute.js'
import type { Entries } from './entries.js'
import { checkAnalyzeOptions, checkSetOptions, expectFunction, expectPath } from './options.js'
import { callsOf } from './wrap.js'

type Compute<Context> = (context: Context) => unknown

/** The calls of a namespace of the same names, which say what the values are. */
export interface Computations {
  getOrSet(key: string, compute: Compute<ComputeContext>, options?: SetOptions): Promise<unknown>
  getOrSetSync(key: string, compute: Compute<ComputeContext>, options?: SetOptions): unknown
  analyze(file: string, compute: Compute<AnalyzeContext>, options?: AnalyzeOptions): Promise<unknown>
  analyzeSync(file: string, compute: Compute<AnalyzeContext>, options?: AnalyzeOptions): unknown
  wrap<Args extends unknown[]>(
    compute: (...args: Args) => unknown,
    options: WrapOptions<Args>,
  ): (...args: Args) => Promise<unknown>
  wrapSync<Args extends unknown[]>(
    compute: (...args: Args) => unknown,
    options: WrapOptions<Args>,
  ): (...args: Args) => unknown
}

export function createComputations(entries: Entries): Computations {
  const computing = new Computing(entries)
  /** By their options. */
  const all = new Map<string, Analyses>()

  const analysesFor = (file: string, options: AnalyzeOptions | undefined): Analyses => {
    entries.store.expectOpen()
    expectPath(file)
    const { version, path } = checkAnalyzeOptions(options)
    const name = `${path} ${version}`
    const analyses = all.get(name) ?? new Analyses(entries, computing, { version, path })
    all.set(name, analyses)
    return analyses
  }

  return {
    async getOrSet(key, compute, options) {
      expectFunction(compute)
      const lifetime = checkSetOptions(options)
      return computing.getOrSet(entries.keyOf(key), compute, lifetime)
    },
    getOrSetSync(key, compute, options) {
      expectFunction(compute)
      const lifetime = checkSetOptions(options)
      return computing.getOrSetSync(entries.keyOf(key), compute, lifetime)
    },
    async analyze(file, compute, options) {
      expectFunction(compute)
      return analysesFor(file, options).analyze(file, compute)
    },
    analyzeSync(file, compute, options) {
      expectFunction(compute)
      return analysesFor(file, options).analyzeSync(file, compute)
    },
    wrap(compute, options) {
      const callOf = callsOf(entries, compute, options)
      return async (...args) => {
        const { key, lifetime } = callOf(...args)
        return computing.getOrSet(key, () => compute(...args), lifetime)
      }
    },
    wrapSync(compute, options) {
      const callOf = callsOf(entries, compute, options)
      return (...args) => {
        const { key, lifetime } = callOf(...args)
        return computing.getOrSetSync(key, () => compute(...args), lifetime)
      }
    },
  }
}
