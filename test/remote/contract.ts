// The contract that all remote adapters pass, with any engine.

import { describe, expect, onTestFinished, test } from 'vitest'
import type { RemoteAdapter } from '../../src/index.js'

/** Of the adapters that are tested: what is longer is no answer. */
export const MAX_BYTES = 450_000

/** Is closed when the test ends. */
export function closed(adapter: RemoteAdapter): RemoteAdapter {
  onTestFinished(() => adapter.close())
  return adapter
}

const name = (at: number) => at.toString(16).padStart(64, '0')
const never = () => new AbortController().signal
const texts = (objects: readonly (Uint8Array | undefined)[]) =>
  objects.map(each => each && Buffer.from(each).toString())

/** A name, whether it is installed, and how it is started. */
export type EngineCase = [string, boolean, () => Promise<RemoteAdapter>]

export function describeAdapters(engines: readonly EngineCase[]): void {
  describe.each(engines)('%s', (_, isThere, start) => {
    test.skipIf(!isThere)('stores objects by name', async () => {
      const adapter = await start()
      expect(await adapter.getMany([name(1), name(2)], never())).toEqual([undefined, undefined])
      await adapter.put(name(2), Buffer.from('two'), never())
      await adapter.put(name(3), Buffer.from('three'), never())
      expect(texts(await adapter.getMany([name(3), name(1), name(2), name(3)], never()))).toEqual([
        'three',
        undefined,
        'two',
        'three',
      ])
      await adapter.put(name(2), Buffer.from('2'), never())
      expect(texts(await adapter.getMany([name(2)], never()))).toEqual(['2'])
    })

    test.skipIf(!isThere)('stores any bytes', async () => {
      const adapter = await start()
      const all = Buffer.from(Array.from({ length: 256 }, (_each, at) => at))
      const objects = [all, Buffer.from('\r\n$-1\r\n'), Buffer.alloc(400_000, all), Buffer.from([0])]
      await Promise.all(objects.map((object, at) => adapter.put(name(at), object, never())))
      const found = await adapter.getMany(
        objects.map((_each, at) => name(at)),
        never(),
      )
      found.forEach((object, at) => {
        expect(Buffer.from(object ?? []).equals(objects[at] as Buffer), `object ${at}`).toBe(true)
      })
    })

    test.skipIf(!isThere)('answers full batches, several at once', async () => {
      const adapter = await start()
      const { maxBatch = 256 } = adapter
      await Promise.all(Array.from({ length: 20 }, (_each, at) => adapter.put(name(at), Buffer.from(`${at}`), never())))
      const batch = Array.from({ length: maxBatch }, (_each, at) => name(at))
      const results = await Promise.all([1, 2, 3].map(() => adapter.getMany(batch, never())))
      for (const found of results) {
        expect(found).toHaveLength(maxBatch)
        expect(texts(found.slice(0, 21))).toEqual([...Array.from({ length: 20 }, (_each, at) => `${at}`), undefined])
      }
    })

    test.skipIf(!isThere)('works after an aborted call', async () => {
      const adapter = await start()
      await adapter.put(name(1), Buffer.from('one'), never())
      const controller = new AbortController()
      const asked = adapter.getMany([name(1), name(2)], controller.signal).catch(() => 'given up')
      controller.abort(new Error('given up'))
      await asked
      await adapter.put(name(3), Buffer.from('three'), AbortSignal.abort(new Error('given up'))).catch(() => undefined)
      expect(texts(await adapter.getMany([name(1)], never()))).toEqual(['one'])
    })

    test.skipIf(!isThere)('returns more than the limit for an object that is too long', async () => {
      const adapter = await start()
      await adapter.put(name(1), Buffer.alloc(500_000, 'a'), never())
      const [long] = await adapter.getMany([name(1)], never())
      expect(long?.length).toBeGreaterThan(MAX_BYTES)
      await adapter.put(name(2), Buffer.from('two'), never())
      expect(texts(await adapter.getMany([name(2)], never()))).toEqual(['two'])
    })

    test.skipIf(!isThere)('can be closed twice', async () => {
      const adapter = await start()
      await adapter.getMany([name(1)], never())
      await adapter.close()
      await adapter.close()
    })
  })
}
