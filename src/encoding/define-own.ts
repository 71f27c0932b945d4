/** Defines the property. Assigning to `__proto__` would set the prototype, and the host may have added setters. */
export function defineOwn(object: object, key: string, value: unknown, enumerable = true): void {
  Object.defineProperty(object, key, { value, enumerable, configurable: true, writable: true })
}
