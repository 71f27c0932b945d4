import type { Input } from './input.js'
import type { Asker } from './snapshot.js'

/**
 * The asker as it would be in the working directory that the inputs were recorded in. Tools that look at all entries use it,
 * because they run in another directory than the plugin.
 */
export function askerWhereRecorded(
  asker: Asker,
  inputs: readonly Input[],
  load: (list: string) => readonly Input[] | undefined,
): Asker {
  let { place, home } = asker
  const visit = (some: readonly Input[]) => {
    for (const { kind, path } of some) {
      if (kind === 'cwd') place = path
      else if (kind === 'home' && path === '') home = ''
      else if (kind === 'list') visit(load(path) ?? [])
    }
  }
  visit(inputs)
  return askerAt(asker, place, home)
}

/** The asker in another working directory, which `place` and `home` describe as in `Asker`. */
export function askerAt({ dir, location, file, text, now }: Asker, place: string, home: string): Asker {
  return { dir, place, home, location, file, text, now }
}
