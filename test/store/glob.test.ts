// The pure parts of globs: which patterns are absolute, and where their search starts.

import { describe, expect, test } from 'vitest'
import { isAbsolutePattern, matcherOf, withSlashes } from '../../src/inputs/glob.js'

describe('a pattern on Windows', () => {
  test.each([
    ['C:\\src\\**\\*.js', 'C:/src/**/*.js'],
    ['c:\\*', 'c:/*'],
    ['!C:\\src\\a.js', '!C:/src/a.js'],
    ['C:\\project/src/**', 'C:/project/src/**'],
    ['\\\\server\\share\\*.js', '//server/share/*.js'],
    ['\\\\?\\C:\\src\\*.js', 'C:/src/*.js'],
    ['!\\\\?\\UNC\\server\\share\\*.js', '!//server/share/*.js'],
    ['C:/src/\\[a\\].js', 'C:/src/\\[a\\].js'],
    ['src/\\(a\\).js', 'src/\\(a\\).js'],
    ['\\*.js', '\\*.js'],
  ])('%j becomes %j', (pattern, expected) => {
    expect(withSlashes(pattern, true)).toBe(expected)
    expect(withSlashes(pattern, false)).toBe(pattern)
  })

  test.each([
    ['C:/src', true],
    ['c:/', true],
    ['//server/share', true],
    ['/src', true],
    ['C:src', false],
    ['src/C:/a', false],
    ['', false],
  ])('that starts with %j is absolute: %s', (pattern, isAbsolute) => {
    expect(isAbsolutePattern(pattern, true)).toBe(isAbsolute)
    expect(isAbsolutePattern(pattern, false)).toBe(pattern.startsWith('/'))
  })
})

describe('the start directory of a glob', () => {
  test.each([
    ['src/*.js', 'src'],
    ['*.js', ''],
    ['a.js', ''],
    ['src/a.js', 'src'],
    ['/src/**', '/src'],
    ['/*.js', '/'],
    ['/a.js', '/'],
    ['//server/share/src/*.js', '//server/share/src'],
    ['\\[slug\\]/*.js', '[slug]'],
    ['a/\\(b\\)/c.js', 'a/(b)'],
    ['!(src)/*.js', ''],
  ])('is, for %j: %j', (pattern, start) => {
    expect(matcherOf([pattern]).starts).toEqual([start])
  })
})

test('an absolute pattern only visits directories on its way', () => {
  const { isOnTheWay } = matcherOf(['/a/*/c/**/x.js'])
  expect(['/a', '/a/b', '/a/b/c', '/a/b/c/d', '/a/b/d', '/b', 'a/b'].map(isOnTheWay)).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
    false,
  ])
  expect(['//server/share/a', '//server/other'].map(matcherOf(['//server/share/**']).isOnTheWay)).toEqual([true, false])
})

test('`!(a)` is part of a pattern, and `!a` excludes', () => {
  const { isMatch } = matcherOf(['!(src)/*.js', '!lib/*.js'])
  expect(['src/a.js', 'other/a.js', 'lib/a.js'].map(isMatch)).toEqual([false, true, false])
})

test.each(['src/', 'src//a.js', '/src/'])('%j matches nothing', pattern => {
  const { isMatch, isOnTheWay } = matcherOf([pattern])
  expect([isMatch('src/a.js'), isMatch('src'), isOnTheWay('src/a.js')]).toEqual([false, false, false])
})

test('relative and absolute patterns can be in one list', () => {
  const { isMatch, isOnTheWay } = matcherOf(['**/*.js', '/a/*.css', '!**/b.*'])
  expect(['x/a.js', '/a/a.css', '/a/a.js', 'a/a.css', '/a/b.css', 'b.js'].map(isMatch)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ])
  expect(['a/b', '/a', '/a/b'].map(isOnTheWay)).toEqual([true, true, false])
})
