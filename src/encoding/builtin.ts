/** Whether a prototype belongs to a builtin class of any realm, not to a subclass: its constructor is native code. */
export function isBuiltinPrototype(prototype: object): boolean {
  if (!Object.hasOwn(prototype, 'constructor')) return false
  const Class: unknown = prototype.constructor
  if (typeof Class !== 'function' || Class.prototype !== prototype) return false
  return /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(Class))
}
