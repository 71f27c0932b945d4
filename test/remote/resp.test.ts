// Replies of Redis, in whatever pieces they come, and whatever a server says that is none.

import { expect, test } from 'vitest'
import { RedisError, type Reply, ReplyParser } from '../../src/remote/adapters/resp.js'
import { randomFrom } from '../support/random.js'

function repliesIn(text: string, pieceBytes: number, maxBytes = 100): Reply[] {
  const replies: Reply[] = []
  const parser = new ReplyParser(maxBytes, reply => replies.push(reply))
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += pieceBytes) parser.push(bytes.subarray(at, at + pieceBytes))
  return replies
}

test('replies are the same in pieces of any size', () => {
  const text = '+OK\r\n:7\r\n$-1\r\n*3\r\n$3\r\na\r\n\r\n$0\r\n\r\n*0\r\n-WRONGPASS no secret\r\n*-1\r\n'
  const expected = ['OK', 7, null, [Buffer.from('a\r\n'), Buffer.alloc(0), []], new RedisError('WRONGPASS'), null]
  for (let pieceBytes = 1; pieceBytes <= text.length; pieceBytes++)
    expect(repliesIn(text, pieceBytes)).toEqual(expected)
})

test('of a text that is too long, one byte more than the limit is kept', () => {
  expect(repliesIn(`$500\r\n${'a'.repeat(500)}\r\n+OK\r\n`, 64)).toEqual([Buffer.alloc(101, 'a'), 'OK'])
})

test('the code of an error is short, whatever it says', () => {
  expect(new RedisError('A'.repeat(1_000)).code).toHaveLength(32)
})

test.each([
  ['a page', 'HTTP/1.1 400 Bad Request\r\n'],
  ['no length', '$1x\r\n'],
  ['a length that is too large', '*99999999\r\n'],
  ['lists in lists without an end', '*1\r\n'.repeat(100)],
  ['a line without an end', '+'.repeat(70_000)],
])('%s is no reply', (_, text) => {
  expect(() => repliesIn(text, 4_096)).toThrow(/^(?:It is|A line)/)
})

test('bytes of any kind are replies or an error', () => {
  const parts = ['*', '$', '+', '-', ':', '\r\n', '1', '0', '-1', '3', 'abc', '\r', '*1\r\n', '$3\r\nabc\r\n', '_\r\n']
  let refusedCount = 0
  for (let seed = 1; seed <= 2_000; seed++) {
    const below = randomFrom(seed)
    const text = Array.from({ length: 1 + below(60) }, () => parts[below(parts.length)]).join('')
    try {
      repliesIn(text, 1 + below(9))
    } catch (error) {
      expect((error as Error).message).toMatch(/^It is /)
      refusedCount++
    }
  }
  expect(refusedCount).toBeGreaterThan(100)
})
