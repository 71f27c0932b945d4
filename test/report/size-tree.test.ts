import { expect, test } from 'vitest'
import { type SizeNode, SizeTree } from '../../cli/report/size-tree.js'

function entry(namespace: string, project: string | null, key: string, sizeBytes: number) {
  const rest = { version: '', isPortable: false, isPastAnswer: false, mode: 'manual', createdAt: 0, usedAt: 0 } as const
  return { namespace, project, key, sizeBytes, computeMs: null, ...rest }
}

const linesOf = ({ name, bytes, entryCount, children }: SizeNode, indent = ''): string[] => [
  `${indent}${name} ${bytes} ${entryCount}`,
  ...children.flatMap(child => linesOf(child, `${indent}  `)),
]

const countOf = (node: SizeNode): number => node.children.reduce((sum, child) => sum + countOf(child), 1)

test('sums sizes by namespace, project and three levels of directories, the largest first', () => {
  const tree = new SizeTree()
  tree.add(entry('lint', '/p', 'src/a/b/c/d/file.ts', 100))
  tree.add(entry('lint', '/p', 'src/a/other.ts', 10))
  tree.add(entry('lint', '/p', '/p/src/a/absolute.ts', 5))
  tree.add(entry('lint', null, 'a key', 7))
  tree.add({ ...entry('build', null, 'x/y', 1000), isPortable: true })
  expect(linesOf(tree.largest(100))).toEqual([
    ' 1122 5',
    '  build 1000 1',
    '    (portable) 1000 1',
    '      x 1000 1',
    '  lint 122 4',
    '    /p 115 3',
    '      src 115 3',
    '        a 115 3',
    '          b 100 1',
    '    (user-wide) 7 1',
  ])
})

test('shows at most the given number of nodes, each with its parents', () => {
  const tree = new SizeTree()
  for (let n = 0; n < 500; n++) tree.add(entry('lint', `/p${n % 10}`, `dir ${n}/file`, n + 1))
  const shown = tree.largest(50)
  expect(countOf(shown)).toBe(50)
  expect(shown.children[0]?.children).toHaveLength(10)
})

test('limits its size for any keys by dropping the deepest directories, and loses no bytes', () => {
  const tree = new SizeTree()
  let total = 0
  for (const namespace of ['one', 'two']) {
    for (let n = 0; n < 60_000; n++) {
      tree.add(entry(namespace, '/p', `dir ${n % 7}/sub ${n}/deep ${n}/file`, 2))
      total += 2
    }
  }
  const shown = tree.largest(1_000_000)
  expect(countOf(shown)).toBeLessThan(50_000)
  expect(shown.bytes).toBe(total)
  expect(shown.children.map(({ name, bytes }) => [name, bytes]).sort()).toEqual([
    ['one', 120_000],
    ['two', 120_000],
  ])
  expect(shown.children[1]?.children[0]?.children).toHaveLength(7)
})

test('handles the maximum number of namespaces by name only', () => {
  const tree = new SizeTree()
  for (let n = 0; n < 60_000; n++) tree.add(entry(`namespace ${n}`, '/p', 'a/b/c/d', 1))
  expect(tree.largest(100).entryCount).toBe(60_000)
})

test('counts the size of answers to earlier states, but not as entries', () => {
  const tree = new SizeTree()
  tree.add(entry('lint', '/p', 'src/a.ts', 100))
  tree.add({ ...entry('lint', '/p', 'src/a.ts', 30), isPastAnswer: true })
  expect(tree.largest(10)).toMatchObject({ bytes: 130, entryCount: 1 })
})
