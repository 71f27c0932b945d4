// What a computation's function does, written once for both forms: a generator that yields what an asynchronous one awaits.

export type Doing<T> = Generator<unknown, T, unknown>

export async function runAsync<T>(doing: Doing<T>): Promise<T> {
  let next = doing.next()
  while (!next.done) {
    let value: unknown
    try {
      value = await next.value
    } catch (error) {
      next = doing.throw(error)
      continue
    }
    next = doing.next(value)
  }
  return next.value
}

export function runSync<T>(doing: Doing<T>): T {
  let next = doing.next()
  while (!next.done) next = doing.next(next.value)
  return next.value
}
