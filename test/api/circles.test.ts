// Computations that call each other in a circle, like modules that import each other. A result from within a circle depends on
// the entry point, so it is returned and not stored.

import { expect, test } from 'vitest'
import { openAsAnotherProcess, temporaryDirectory, temporaryRoot } from '../support/caches.js'

/** Modules that import each other; `names` collects those that are reached, up to the second visit of a module. */
function modules(imports: Record<string, string[]>, isSync: boolean, hasPause: boolean) {
  const { cache } = openAsAnotherProcess(temporaryRoot())
  const entries = cache.namespace('names', { project: temporaryDirectory() })
  let computed = 0
  const plainNames = (module: string, above: readonly string[]): string[] => {
    if (above.filter(each => each === module).length >= 2) return []
    return unique([module, ...(imports[module] ?? []).flatMap(each => plainNames(each, [...above, module]))])
  }
  const namesSync = (module: string, above: readonly string[] = []): string[] =>
    entries.getOrSetSync(module, () => {
      computed++
      if (above.filter(each => each === module).length >= 2) return []
      return unique([module, ...(imports[module] ?? []).flatMap(each => namesSync(each, [...above, module]))])
    })
  const names = async (module: string, above: readonly string[] = []): Promise<string[]> =>
    entries.getOrSet(module, async () => {
      computed++
      if (hasPause) await Promise.resolve()
      if (above.filter(each => each === module).length >= 2) return []
      const found = [module]
      for (const each of imports[module] ?? []) found.push(...(await names(each, [...above, module])))
      return unique(found)
    })
  return {
    ask: async (module: string) => (isSync ? namesSync(module) : names(module)),
    plain: (module: string) => plainNames(module, []),
    takeComputed: () => {
      const count = computed
      computed = 0
      return count
    },
  }
}

const unique = (names: readonly string[]) => [...new Set(names)].sort()

const CIRCLES = {
  'a module that imports itself': { a: ['a', 'b'], b: ['a'] },
  'two modules that import each other': { a: ['b'], b: ['a', 'c'], c: [] },
  'three modules, two of them imported twice': { a: ['b', 'c'], b: ['c', 'a'], c: ['a', 'b'] },
  'a circle behind another one': { a: ['a', 'b'], b: ['c'], c: ['b', 'd'], d: ['d', 'a'] },
} satisfies Record<string, Record<string, string[]>>

const WAYS = [
  ['synchronously', true, false],
  ['without a pause', false, false],
  ['with a pause', false, true],
] as const

test.each(Object.keys(CIRCLES).flatMap(circle => WAYS.map(way => [circle, ...way] as const)))(
  '%s, %s: every result equals the one without a cache, whichever module is computed first',
  async (circle, _way, isSync, hasPause) => {
    const imports: Record<string, string[]> = CIRCLES[circle as keyof typeof CIRCLES]
    for (const first of Object.keys(imports)) {
      const { ask, plain } = modules(imports, isSync, hasPause)
      await ask(first)
      for (const module of Object.keys(imports)) expect(await ask(module), `${first}, ${module}`).toEqual(plain(module))
    }
  },
)

test('a module that a circle imports but that is not part of it is cached', async () => {
  const { ask, takeComputed } = modules({ a: ['a', 'b'], b: ['c'], c: [] }, false, false)
  await ask('a')
  takeComputed()
  await ask('c')
  expect(takeComputed()).toBe(0)
})
