// Counts per project, which are kept beside totals and days.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Counters } from '../../src/counters/counters.js'
import { countsByDay } from '../../src/counters/totals.js'
import { nodeFiles } from '../../src/files/files.js'
import { filesBelow } from '../support/caches.js'
import { newEnvironment, temporaryDirectory } from './environment.js'

const FIRST_DAY = 20_454

/** What a process counts in these projects on this day. */
function count(path: string, projects: readonly (string | undefined)[], day = 0): void {
  const counters = countersOn(path, day)
  for (const project of projects) {
    counters.count('hits', 2, project)
    counters.count('expired', 1, project)
    counters.countTime('time-saved', 3, project)
  }
  counters.flush()
  counters.close()
}

function countersOn(path: string, day: number): Counters {
  const now = () => (FIRST_DAY + day) * 86_400_000
  return new Counters(newEnvironment({ files: { ...nodeFiles, now } }), path, 'counters')
}

function known(path: string) {
  const counters = countersOn(path, 0)
  const byProject = new Map([...counters.totalsByProject()].map(([project, { hits }]) => [project, hits]))
  const days = countsByDay(counters.records(), Number.MAX_SAFE_INTEGER)
  const totals = counters.totals()
  counters.close()
  return { byProject, totals, hitsByDay: [...days.values()].reduce((sum, { hits }) => sum + hits, 0) }
}

test('counts of different projects are kept apart and added up', () => {
  const path = temporaryDirectory()
  count(path, ['/a', '/b', undefined, '/ä ö'])
  count(path, ['/b'])
  const { byProject, totals, hitsByDay } = known(path)
  expect(Object.fromEntries(byProject)).toEqual({ '/a': 2, '/b': 4, '/ä ö': 2 })
  expect(totals).toMatchObject({ hits: 10, expired: 5, 'time-saved': 15_000, project: 0, 'project-sum': 0 })
  expect(hitsByDay).toBe(10)
})

test('counts that are not written yet are included', () => {
  const path = temporaryDirectory()
  count(path, ['/a'])
  const counters = countersOn(path, 0)
  counters.count('hits', 5, '/a')
  counters.count('hits', 7)
  expect(counters.totalsByProject().get('/a')).toMatchObject({ hits: 7 })
  expect(counters.totals()).toMatchObject({ hits: 14 })
  expect(new Map(counters.own()).get('hits')).toBeDefined()
  counters.clear()
  expect(counters.totalsByProject().size).toBe(0)
  counters.close()
})

test('a full file keeps sums of projects, and no count is lost or doubled', () => {
  const path = temporaryDirectory()
  for (let flush = 0; flush < 1000; flush++) count(path, [`/project ${flush % 10}`], flush % 3)
  const { byProject, totals, hitsByDay } = known(path)
  expect(totals.hits).toBe(2000)
  expect(hitsByDay).toBe(2000)
  expect(byProject.size).toBe(10)
  for (const hits of byProject.values()) expect(hits).toBe(200)
})

test('with very many projects the most recent ones are kept, and the file stays small', () => {
  const path = temporaryDirectory()
  let largest = 0
  for (let day = 0; day < 600; day++) {
    count(path, [`/${'long'.repeat(day % 20)}/project ${day}`], day)
    const [file = ''] = filesBelow(path)
    largest = Math.max(largest, statSync(join(path, file)).size)
  }
  const { byProject, totals } = known(path)
  expect(totals.hits).toBe(1200)
  const names = [...byProject.keys()]
  expect(names.length).toBeGreaterThanOrEqual(30)
  expect(names.length).toBeLessThan(300)
  for (let day = 580; day < 600; day++) expect(names.some(name => name.endsWith(`/project ${day}`))).toBe(true)
  expect(names.some(name => name.endsWith('/project 1'))).toBe(false)
  expect(largest).toBeLessThan(33 * 1024)
})

test('projects with very long paths leave room in the file for others', () => {
  const path = temporaryDirectory()
  for (let flush = 0; flush < 100; flush++) count(path, [`/${'x'.repeat(3900)}${flush}`, '/short'], flush)
  const { byProject, totals } = known(path)
  expect(totals.hits).toBe(400)
  expect(byProject.get('/short')).toBe(200)
})

test('if only some projects can be written, the others are written later, and none twice', () => {
  const path = temporaryDirectory()
  let isFull = false
  const files = {
    ...nodeFiles,
    append(...args: Parameters<typeof nodeFiles.append>) {
      if (isFull) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
      isFull = Buffer.from(args[1]).includes('/first')
      return nodeFiles.append(...args)
    },
  }
  count(path, ['/first', '/second'])
  const counters = new Counters(newEnvironment({ files }), path, 'counters')
  for (const project of ['/first', '/second']) counters.count('hits', 1, project)
  expect(() => counters.flush()).toThrow('ENOSPC')
  isFull = false
  counters.flush()
  counters.close()
  expect(Object.fromEntries(known(path).byProject)).toEqual({ '/first': 3, '/second': 3 })
})
