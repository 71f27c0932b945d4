/** To assign to `__proto__` would set the prototype, and a host may have made setters of other names. */
export function defineOwn(object: object, key: string, value: unknown, enumerable = true): void {
  Object.defineProperty(object, key, { value, enumerable, configurable: true, writable: true })
}
