// Checks of JSON written by hand. A field that is misspelt, missing or of the wrong kind is refused by name: a scenario
// whose expectation is silently left out would be a test that cannot fail.

/** A mistake in a scenario, with its place in words. */
export class FormatError extends Error {
  override readonly name = 'FormatError'
}

/** Gives the checked value, with long texts written out. @throws FormatError */
export type Check<T> = (value: unknown, at: string) => T
type Checked<C> = C extends Check<infer T> ? T : never
type Checks = Record<string, Check<unknown>>
type Fields<R extends Checks, O extends Checks> = { [K in keyof R]: Checked<R[K]> } & {
  [K in keyof O]?: Checked<O[K]>
}

export function refuse(at: string, why: string): never {
  throw new FormatError(`${at}: ${why}`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const quoted = (names: readonly string[]) => names.map(name => `"${name}"`).join(', ')

/** A text, or `{"$repeat": "ab", "$times": 100}` for a long one. */
export const text: Check<string> = (value, at) => {
  if (typeof value === 'string') return value
  if (!isObject(value) || !('$repeat' in value)) return refuse(at, `must be a text, not ${JSON.stringify(value)}`)
  const { $repeat, $times } = object({ $repeat: text, $times: count }, {})(value, at)
  return $repeat.repeat($times)
}

export const count: Check<number> = (value, at) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : refuse(at, 'must be a whole number')

export const number: Check<number> = (value, at) => (typeof value === 'number' ? value : refuse(at, 'must be a number'))

export const flag: Check<boolean> = (value, at) =>
  typeof value === 'boolean' ? value : refuse(at, 'must be true or false')

export const yes: Check<true> = (value, at) => (value === true ? value : refuse(at, 'can only be true'))

export function word<const W extends string>(...words: readonly W[]): Check<W> {
  return (value, at) => (words.includes(value as W) ? (value as W) : refuse(at, `must be one of ${quoted(words)}`))
}

export function pattern(regexp: RegExp, what: string): Check<string> {
  return (value, at) =>
    typeof value === 'string' && regexp.test(value)
      ? value
      : refuse(at, `must be ${what}, not ${JSON.stringify(value)}`)
}

/** `name` is what one of them is called in a message. */
export function list<T>(item: Check<T>, minimum = 1, name = 'item'): Check<T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) return refuse(at, 'must be a list')
    if (value.length < minimum) return refuse(at, `must have ${minimum} or more`)
    return value.map((each, index) => item(each, `${at}, ${name} ${index + 1}`))
  }
}

/** Names that the scenario chooses, each with a value of one kind. */
export function named<T>(item: Check<T>): Check<Record<string, T>> {
  return (value, at) => {
    if (!isObject(value)) return refuse(at, 'must be an object')
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, item(each, `${at}, "${name}"`)]))
  }
}

export function object<R extends Checks, O extends Checks>(required: R, optional: O): Check<Fields<R, O>> {
  return (value, at) => {
    if (!isObject(value)) return refuse(at, 'must be an object')
    const known: Checks = { ...required, ...optional }
    const unknown = Object.keys(value).filter(name => !Object.hasOwn(known, name))
    if (unknown.length > 0) refuse(at, `${quoted(unknown)} is not known here, only ${quoted(Object.keys(known))}`)
    const missing = Object.keys(required).filter(name => !Object.hasOwn(value, name))
    if (missing.length > 0) refuse(at, `${quoted(missing)} is missing`)
    const checked = Object.entries(value).map(([name, each]) => [name, known[name]?.(each, `${at}, "${name}"`)])
    return Object.fromEntries(checked) as Fields<R, O>
  }
}

/** An object of optional fields, of which there must be at least one. */
export function someOf<O extends Checks>(optional: O): Check<Fields<Record<never, never>, O>> {
  return (value, at) => {
    const checked = object({}, optional)(value, at)
    return Object.keys(checked).length > 0 ? checked : refuse(at, 'expects nothing')
  }
}

/** An object with exactly one of the fields. */
export function oneOf<F extends Checks>(forms: F): Check<{ [K in keyof F]: { [P in K]: Checked<F[K]> } }[keyof F]> {
  return (value, at) => {
    if (!isObject(value) || Object.keys(value).length !== 1) {
      return refuse(at, `must have exactly one of ${quoted(Object.keys(forms))}`)
    }
    return object({}, forms)(value, at) as { [K in keyof F]: { [P in K]: Checked<F[K]> } }[keyof F]
  }
}

/** Any JSON; names that begin with `$` are kept for what a scenario says about values. */
export const json: Check<unknown> = (value, at) => {
  if (Array.isArray(value)) return value.map(each => json(each, at))
  if (!isObject(value)) return value
  if ('$repeat' in value) return text(value, at)
  return named(json)(
    Object.fromEntries(
      Object.entries(value).map(([name, each]) =>
        name.startsWith('$') ? refuse(at, `"${name}" is not known`) : [name, each],
      ),
    ),
    at,
  )
}
