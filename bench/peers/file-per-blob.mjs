import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { decode, encode } from 'cbor-x'

export const isAsync = false

/** @param {string} dir */
export function open(dir, name = 'entries') {
  const made = new Set()
  let written = 0
  /** @param {string} key */
  const place = key => {
    const hash = createHash('sha1').update(key).digest('hex')
    return { directory: `${dir}/${name}/${hash.slice(0, 2)}`, file: hash.slice(2) }
  }
  /** @param {string} key @param {unknown} value */
  const set = (key, value) => {
    const { directory, file } = place(key)
    if (!made.has(directory)) mkdirSync(directory, { recursive: true })
    made.add(directory)
    const beside = `${directory}/${process.pid}-${written++}.tmp`
    writeFileSync(beside, encode(value))
    renameSync(beside, `${directory}/${file}`)
  }
  return {
    /** @param {string} key */
    get(key) {
      const { directory, file } = place(key)
      try {
        return decode(readFileSync(`${directory}/${file}`))
      } catch (/** @type {any} */ error) {
        if (error.code !== 'ENOENT') throw error
        return undefined
      }
    },
    set,
    /** @param {{ key: string, value: unknown }[]} list */
    setMany(list) {
      for (const { key, value } of list) set(key, value)
    },
    close: () => undefined,
  }
}
