export const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')

/** JSON as it is stored. */
export const json = (text: string) => Buffer.from(`\x01${text}`)

/** The bytes of records with these items and strings, as FORMAT.md says. */
export function recordBytes(items: string | Uint8Array, strings: unknown = [], codec = 2): Buffer {
  const bytes = typeof items === 'string' ? bytesOf(items) : items
  const head = Buffer.from([codec, 0, 0, 0, 0])
  head.writeUInt32LE(bytes.length, 1)
  return Buffer.concat([head, bytes, Buffer.from(typeof strings === 'string' ? strings : JSON.stringify(strings))])
}
