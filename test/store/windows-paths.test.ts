import { expect, test } from 'vitest'
import { holdsWindowsPath } from '../../src/compute/commit.js'

const PATH = 'C:\\Users\\Ann Lee\\my+app'

test.each([
  PATH,
  'c:\\users\\ann lee\\MY+APP\\src',
  'C:/Users/Ann Lee/my+app',
  'C:\\Users\\Ann Lee/my+app/src',
  JSON.stringify({ file: `${PATH}\\x` }),
  'file:///c:/Users/Ann%20Lee/my%2Bapp/x.js',
  '\\\\?\\C:\\Users\\Ann Lee\\my+app',
])('%j contains a Windows path', text => {
  expect(holdsWindowsPath(`before ${text}`, PATH)).toBe(true)
})

test.each(['C:\\Users\\Ann Lee\\my+apple', 'C:\\Users\\Ann Lee\\myyapp', 'my+app', 'C:\\Users\\Ann Lee', '/'])(
  '%j contains no Windows path',
  text => {
    expect(holdsWindowsPath(text, PATH)).toBe(false)
  },
)

test('names beyond ASCII are compared as bytes', () => {
  const bytes = Buffer.from('C:\\Müller\\日本\\x').toString('latin1')
  expect(holdsWindowsPath(bytes, 'D:\\Müller\\日本')).toBe(true)
  expect(holdsWindowsPath(bytes, 'D:\\Moller\\日本')).toBe(false)
})
