// Sets properties for the record reader.

import { defineOwn } from './define-own.js'

/**
 * The property names that syntax trees use most. V8 sets a property that the code names in a third of the time of a computed
 * one.
 */
const NAMED = [
  'type',
  'start',
  'end',
  'line',
  'column',
  'name',
  'range',
  'loc',
  'value',
  'offset',
  'kind',
  'optional',
  'computed',
  'property',
  'index',
  'object',
  'parent',
  'operator',
  'left',
  'right',
  'source',
  'expression',
  'body',
  'arguments',
  'raw',
  'id',
  'children',
  'callee',
  'params',
  'init',
  'test',
] as const

const ANY_NAME = -1
const SPECIAL = -2

/** How to set a property with that name: its index in `NAMED`, or one of the other ways. */
export function setterOf(key: string): number {
  // Assigning to `__proto__` sets the prototype. Other names may have a setter, or be frozen.
  return key in Object.prototype ? SPECIAL : (NAMED as readonly string[]).indexOf(key)
}

export function setProperty(object: object, setter: number, key: string, value: unknown): void {
  const record = object as Record<string, unknown>
  switch (setter) {
    case SPECIAL:
      defineOwn(record, key, value)
      return
    case ANY_NAME:
      record[key] = value
      return
    case 0:
      record.type = value
      return
    case 1:
      record.start = value
      return
    case 2:
      record.end = value
      return
    case 3:
      record.line = value
      return
    case 4:
      record.column = value
      return
    case 5:
      record.name = value
      return
    case 6:
      record.range = value
      return
    case 7:
      record.loc = value
      return
    case 8:
      record.value = value
      return
    case 9:
      record.offset = value
      return
    case 10:
      record.kind = value
      return
    case 11:
      record.optional = value
      return
    case 12:
      record.computed = value
      return
    case 13:
      record.property = value
      return
    case 14:
      record.index = value
      return
    case 15:
      record.object = value
      return
    case 16:
      record.parent = value
      return
    case 17:
      record.operator = value
      return
    case 18:
      record.left = value
      return
    case 19:
      record.right = value
      return
    case 20:
      record.source = value
      return
    case 21:
      record.expression = value
      return
    case 22:
      record.body = value
      return
    case 23:
      record.arguments = value
      return
    case 24:
      record.raw = value
      return
    case 25:
      record.id = value
      return
    case 26:
      record.children = value
      return
    case 27:
      record.callee = value
      return
    case 28:
      record.params = value
      return
    case 29:
      record.init = value
      return
    case 30:
      record.test = value
      return
  }
}
