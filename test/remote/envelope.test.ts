// The encoding of remote objects. Only objects that were signed for their name are accepted.

import { deflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { inputOf } from '../../src/inputs/input.js'
import { type Answered, open, seal } from '../../src/remote/envelope.js'
import { parsePublicKey, parseSigningKey } from '../../src/remote/keys.js'
import { questionName, stateName } from '../../src/remote/names.js'
import { keys, otherKeys } from './machines.js'

const signingKey = parseSigningKey(keys.signingKey)
const readers = [parsePublicKey(keys.publicKey)!]
const name = '0a'.repeat(32)
const inputs = [inputOf('file', '', false, Buffer.alloc(16, 7)), inputOf('absent', 'src/b.js', true)]
const answer = (bytes = Buffer.from('\u0001"a value"')): Answered => ({
  bytes,
  inputs,
  createdAt: 1_800_000_000_000,
  ttlMs: Number.POSITIVE_INFINITY,
  computeMs: 12.5,
})
const trusted = { name, maxBytes: 2 ** 20, keys: readers }
const trusting = { ...trusted, keys: undefined }

test('a sealed object can be opened', () => {
  for (const bytes of [Buffer.from('\u0001"a value"'), Buffer.alloc(100_000, 'abc')]) {
    const object = seal(name, answer(bytes), signingKey)
    expect(open(object, trusted)).toEqual(answer(bytes))
    expect(open(object, trusting)).toEqual(answer(bytes))
    expect(object.length).toBeLessThan(bytes.length + 400)
  }
  expect(open(seal(name, answer(), undefined), trusting)).toEqual(answer())
})

test('an object that is cut or changed at any byte is rejected', () => {
  const object = seal(name, answer(), signingKey)
  for (let length = 0; length < object.length; length++) {
    expect(open(object.subarray(0, length), trusted)).toEqual(expect.any(String))
    expect(open(object.subarray(0, length), trusting)).toEqual(expect.any(String))
  }
  expect(open(Buffer.concat([object, Buffer.from('x')]), trusted)).toBe('truncated')
  for (let bit = 0; bit < object.length * 8; bit++) {
    const flipped = Buffer.from(object)
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
    expect(open(flipped, trusted), `bit ${bit}`).toEqual(expect.any(String))
    // Without signatures it may be another answer, but never anything else.
    const found = open(flipped, trusting)
    expect(typeof found === 'string' || Buffer.isBuffer(found.bytes)).toBe(true)
  }
})

test('each check has its own reason', () => {
  const other = parseSigningKey(otherKeys.signingKey)
  const object = seal(name, answer(), signingKey)
  const wrong = Buffer.from(object)
  wrong[wrong.length - 1] = (wrong.at(-1) as number) ^ 1
  const older = Buffer.from(object)
  older[4] = 0
  const reasons = [
    open(seal(name, answer(), undefined), trusted),
    open(seal(name, answer(), other), trusted),
    open(wrong, trusted),
    open(seal('0b'.repeat(32), answer(), signingKey), trusted),
    open(object, { ...trusted, maxBytes: object.length - 1 }),
    open(older, trusted),
    open(Buffer.from('<html>not found</html>'), trusted),
    open(Buffer.alloc(0), trusted),
  ]
  expect(reasons).toEqual([
    'unsigned',
    'unknown-key',
    'wrong-signature',
    'wrong-name',
    'too-large',
    'other-format',
    'no-envelope',
    'truncated',
  ])
})

test('a value that inflates to more than its declared length is never inflated', () => {
  const bomb = deflateRawSync(Buffer.alloc(400_000))
  expect(bomb.length).toBeLessThan(500)
  const plain = seal(name, answer(bomb), undefined)
  const valueLengthAt = 4 + 1 + 1 + 6 + 8 + 4 + 32
  const packed = Buffer.from(plain)
  packed[5] = 2
  for (const said of [1, 1000, 399_999, bomb.length]) {
    packed.writeUInt32LE(said, valueLengthAt)
    expect(open(packed, trusting)).toBe('undecodable')
  }
  packed.writeUInt32LE(50_000_000, valueLengthAt)
  expect(open(packed, trusting)).toBe('too-large')
})

test('a result with an impossible computation time is rejected', () => {
  const took = (computeMs: number) => open(seal(name, { ...answer(), computeMs }, signingKey), trusted)
  expect(took(2 ** 30)).toMatchObject({ computeMs: 2 ** 30 })
  for (const computeMs of [-1, 2 ** 31, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(took(computeMs)).toBe('undecodable')
  }
})

test('names distinguish questions and states', () => {
  const parts = {
    scope: '',
    epoch: '',
    namespace: 'tool',
    key: Buffer.from('key'),
    digest: undefined,
    content: undefined,
  }
  const names = [
    questionName(parts),
    questionName({ ...parts, scope: 'a' }),
    questionName({ ...parts, epoch: 'a' }),
    questionName({ ...parts, namespace: 'tool2' }),
    questionName({ ...parts, namespace: 'toolk', key: Buffer.from('ey') }),
    questionName({ ...parts, digest: Buffer.alloc(0) }),
    questionName({ ...parts, content: Buffer.alloc(0) }),
    questionName({ ...parts, digest: Buffer.from('a') }),
    questionName({ ...parts, content: Buffer.from('a') }),
    stateName(questionName(parts), inputs),
    stateName(questionName(parts), inputs.slice(1)),
  ]
  expect(new Set(names).size).toBe(names.length)
  for (const each of names) expect(each).toMatch(/^[0-9a-f]{64}$/)
  expect(stateName(name, inputs)).toBe(stateName(name, [...inputs].reverse()))
})
