import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineSplitter, TOO_LONG } from '../../cli/serve/lines.js'

test('lines do not depend on how the bytes are split, and too long lines are skipped', () => {
  const cut = fc.tuple(fc.string({ unit: fc.constantFrom('a', 'é', '\n'), maxLength: 60 }), fc.array(fc.nat(9)))
  fc.assert(
    fc.property(cut, ([text, sizes]) => {
      const bytes = Buffer.from(text)
      const splitter = new LineSplitter(8)
      const lines: unknown[] = []
      const add = (chunk: Uint8Array) => {
        for (const line of splitter.add(chunk)) lines.push(line === TOO_LONG ? line : line.toString())
      }
      let start = 0
      for (const size of sizes) {
        add(bytes.subarray(start, start + size))
        start += size
      }
      add(bytes.subarray(start))
      const rest = splitter.rest()
      lines.push(rest === TOO_LONG ? rest : rest.toString())
      expect(lines).toEqual(text.split('\n').map(line => (Buffer.byteLength(line) > 8 ? TOO_LONG : line)))
    }),
  )
})
