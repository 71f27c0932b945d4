// Replies of Redis, in pieces of any size, and invalid replies.

import { expect, test } from 'vitest'
import { RedisError, type Reply, ReplyParser } from '../../src/remote/adapters/resp.js'
import { randomFrom } from '../support/random.js'

function repliesIn(text: string, pieceBytes: number, maxBytes = 100, maxItems = 100): Reply[] {
  const replies: Reply[] = []
  const parser = new ReplyParser(
    maxBytes,
    () => maxItems,
    reply => replies.push(reply),
  )
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += pieceBytes) parser.push(bytes.subarray(at, at + pieceBytes))
  return replies
}

test('replies in pieces of any size are parsed the same', () => {
  const text = '+OK\r\n:7\r\n$-1\r\n*3\r\n$3\r\na\r\n\r\n$0\r\n\r\n$-1\r\n*0\r\n-WRONGPASS no secret\r\n*-1\r\n'
  const expected = ['OK', 7, null, [Buffer.from('a\r\n'), Buffer.alloc(0), null], [], new RedisError('WRONGPASS'), null]
  for (let pieceBytes = 1; pieceBytes <= text.length; pieceBytes++)
    expect(repliesIn(text, pieceBytes)).toEqual(expected)
})

test('a too long string is truncated one byte past the limit', () => {
  expect(repliesIn(`$500\r\n${'a'.repeat(500)}\r\n+OK\r\n`, 64)).toEqual([Buffer.alloc(101, 'a'), 'OK'])
})

test('the code of an error is limited in length', () => {
  expect(new RedisError('A'.repeat(1_000)).code).toHaveLength(32)
})

test.each([
  ['a page', 'HTTP/1.1 400 Bad Request\r\n'],
  ['a missing length', '$1x\r\n'],
  ['a too large length', '*99999999\r\n'],
  ['nested lists', '*1\r\n*1\r\n+OK\r\n'],
  ['an empty list inside a list', '*1\r\n*0\r\n'],
  ['a list longer than asked for', '*101\r\n'],
  ['an endless line', '+'.repeat(70_000)],
])('%s is an invalid reply', (_, text) => {
  expect(() => repliesIn(text, 4_096)).toThrow(/^(?:It is|A line|A list)/)
})

test('random bytes are parsed as replies or throw an error', () => {
  const parts = ['*', '$', '+', '-', ':', '\r\n', '1', '0', '-1', '3', 'abc', '\r', '*1\r\n', '$3\r\nabc\r\n', '_\r\n']
  let refusedCount = 0
  for (let seed = 1; seed <= 2_000; seed++) {
    const below = randomFrom(seed)
    const text = Array.from({ length: 1 + below(60) }, () => parts[below(parts.length)]).join('')
    try {
      repliesIn(text, 1 + below(9))
    } catch (error) {
      expect((error as Error).message).toMatch(/^(?:It is|A list is)/)
      refusedCount++
    }
  }
  expect(refusedCount).toBeGreaterThan(100)
})

test('the memory for one reply is limited, and texts beyond that count as missing', () => {
  const replies: Reply[] = []
  const megabyte = 1024 * 1024
  const parser = new ReplyParser(
    megabyte,
    () => 260,
    reply => replies.push(reply),
  )
  const text = Buffer.concat([Buffer.from(`$${megabyte}\r\n`), Buffer.alloc(megabyte), Buffer.from('\r\n')])
  parser.push(Buffer.from('*260\r\n'))
  for (let i = 0; i < 260; i++) parser.push(text)
  parser.push(text)
  const [list, next] = replies as [Reply[], Reply]
  expect([list.length, list.filter(Buffer.isBuffer).length]).toEqual([260, 256])
  expect(list.slice(256)).toEqual([null, null, null, null])
  expect(next).toHaveLength(megabyte)
})
