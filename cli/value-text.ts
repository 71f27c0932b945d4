// Prints a cached value as text. The cache can hold more than JSON can, and nothing may be lost or changed silently:
// - for people, such values have a readable form: undefined, 12n, Date 2024-01-01T00:00:00.000Z, Map(1) { "a" => 1 },
//   Set(2) { 1, 2 }, Buffer(3) 01 02 03, /a/g, [Circular $.parent];
// - with --json they are tagged, {"$type": "Map", "value": [["a", 1]]}, and a plain object that has a "$type" of its own
//   is tagged too, {"$type": "Object", "value": {…}}, so that no tag can be mistaken for data.

import { inspect } from 'node:util'
import { printable, printableJson } from './printable.js'

const BYTES_SHOWN = 32

type Shape =
  | { kind: 'json'; json: string }
  | { kind: 'atom'; type: string; text: string; tagged?: string | null }
  | { kind: 'array'; items: Iterable<unknown> }
  | { kind: 'object'; entries: readonly [string, unknown][] }
  | { kind: 'map'; entries: Iterable<[unknown, unknown]>; size: number }
  | { kind: 'group'; type: string; items: Iterable<unknown>; size: number }
  | { kind: 'bytes'; type: string; bytes: Buffer }

function shapeOfNumber(value: number): Shape {
  if (Number.isFinite(value) && !Object.is(value, -0)) return { kind: 'json', json: String(value) }
  const text = Object.is(value, -0) ? '-0' : String(value)
  return { kind: 'atom', type: 'Number', text, tagged: text }
}

function shapeOfObject(value: object): Shape {
  const type = value.constructor?.name ?? 'Object'
  if (Array.isArray(value)) return { kind: 'array', items: value }
  if (value instanceof Map) return { kind: 'map', entries: value, size: value.size }
  if (value instanceof Set) return { kind: 'group', type: 'Set', items: value, size: value.size }
  if (value instanceof Date) {
    const iso = Number.isNaN(value.getTime()) ? null : value.toISOString()
    return { kind: 'atom', type, text: `Date ${iso ?? '(invalid)'}`, tagged: iso }
  }
  if (value instanceof RegExp) return { kind: 'atom', type, text: printable(String(value)), tagged: String(value) }
  if (value instanceof ArrayBuffer) return { kind: 'bytes', type, bytes: Buffer.from(value) }
  if (value instanceof Uint8Array || value instanceof DataView) {
    return { kind: 'bytes', type, bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength) }
  }
  if (ArrayBuffer.isView(value)) {
    const items = Array.from(value as unknown as ArrayLike<number | bigint>)
    return { kind: 'group', type, items, size: items.length }
  }
  if (value instanceof Error) return { kind: 'atom', type, text: printable(`${value}`), tagged: value.message }
  const prototype = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return { kind: 'object', entries: Object.entries(value) }
  // The library returns no other objects today. Those of a later version must not be shown as something else.
  const text = inspect(value, { depth: 2, breakLength: Number.POSITIVE_INFINITY })
  return { kind: 'atom', type, text: printable(text), tagged: text }
}

function shapeOf(value: unknown): Shape {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return { kind: 'json', json: printableJson(value) }
    case 'number':
      return shapeOfNumber(value)
    case 'bigint':
      return { kind: 'atom', type: 'BigInt', text: `${value}n`, tagged: String(value) }
    case 'undefined':
      return { kind: 'atom', type: 'undefined', text: 'undefined' }
    case 'object':
      return value === null ? { kind: 'json', json: 'null' } : shapeOfObject(value)
    default:
      return { kind: 'atom', type: typeof value, text: printable(String(value)), tagged: String(value) }
  }
}

function childPath(path: string, key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${printableJson(key)}]`
}

/** Walks the value, and keeps the paths of the objects around the current one to detect cycles. */
function write(value: unknown, path: string, open: Map<object, string>, writer: Writer): string {
  const shape = shapeOf(value)
  if (shape.kind === 'json') return shape.json
  if (shape.kind === 'atom') return writer.atom(shape)
  if (shape.kind === 'bytes') return writer.bytes(shape)
  const holder = value as object
  const openPath = open.get(holder)
  if (openPath !== undefined) {
    return writer.atom({ kind: 'atom', type: 'Circular', text: `[Circular ${openPath}]`, tagged: openPath })
  }
  open.set(holder, path)
  const child = (item: unknown, at: string) => write(item, at, open, writer)
  const list = (items: Iterable<unknown>) => Array.from(items, (item, index) => child(item, `${path}[${index}]`))
  let text: string
  if (shape.kind === 'array') text = writer.array(list(shape.items))
  else if (shape.kind === 'group') text = writer.group(shape.type, list(shape.items))
  else if (shape.kind === 'map') {
    text = writer.map(
      Array.from(shape.entries, ([key, item], index) => [
        child(key, `${path}.keys[${index}]`),
        child(item, `${path}.values[${index}]`),
      ]),
    )
  } else {
    text = writer.object(shape.entries.map(([key, item]) => [printableJson(key), child(item, childPath(path, key))]))
  }
  open.delete(holder)
  return text
}

interface Writer {
  atom(shape: Shape & { kind: 'atom' }): string
  bytes(shape: Shape & { kind: 'bytes' }): string
  array(items: string[]): string
  group(type: string, items: string[]): string
  map(entries: [string, string][]): string
  object(entries: [string, string][]): string
}

const tag = (type: string, json?: string) =>
  `{"$type":${printableJson(type)}${json === undefined ? '' : `,"value":${json}`}}`

const jsonWriter: Writer = {
  atom: ({ type, tagged }) => tag(type, tagged === undefined ? undefined : printableJson(tagged)),
  bytes: ({ type, bytes }) => tag(type, `"${bytes.toString('base64')}"`),
  array: items => `[${items.join()}]`,
  group: (type, items) => tag(type, `[${items.join()}]`),
  map: entries => tag('Map', `[${entries.map(([key, item]) => `[${key},${item}]`).join()}]`),
  object: entries => {
    const json = `{${entries.map(([key, item]) => `${key}:${item}`).join()}}`
    return entries.some(([key]) => key === '"$type"') ? tag('Object', json) : json
  },
}

const indent = (text: string) => text.replaceAll('\n', '\n  ')
const block = (opener: string, parts: readonly string[], closer: string) =>
  parts.length === 0 ? opener + closer : `${opener}\n  ${parts.map(indent).join(',\n  ')}\n${closer}`

const peopleWriter: Writer = {
  atom: ({ text }) => text,
  bytes: ({ type, bytes }) => {
    const shown = bytes.subarray(0, BYTES_SHOWN).toString('hex').replace(/..\B/g, '$& ')
    return `${type}(${bytes.length}) ${shown}${bytes.length > BYTES_SHOWN ? ' …' : ''}`.trimEnd()
  },
  array: items => block('[', items, ']'),
  group: (type, items) => block(`${type}(${items.length}) {`, items, '}'),
  map: entries =>
    block(
      `Map(${entries.length}) {`,
      entries.map(([key, item]) => `${key} => ${item}`),
      '}',
    ),
  object: entries =>
    block(
      '{',
      entries.map(([key, item]) => `${key}: ${item}`),
      '}',
    ),
}

/** One line of JSON that loses nothing. */
export function jsonOf(value: unknown): string {
  return write(value, '$', new Map(), jsonWriter)
}

/** Indented JSON, with readable notations where JSON has none. */
export function textOf(value: unknown): string {
  return write(value, '$', new Map(), peopleWriter)
}
