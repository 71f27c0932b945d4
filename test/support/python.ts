// Python processes that use cache.py, as plugins do. They are run where there is a python3, and have to be where
// $WICKED_CACHE_ENGINES is `required`.

import { execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { Child, type Ended, projectRoot } from './children.js'

export const plugin = join(projectRoot, 'plugin')
export const scripts = join(plugin, 'scripts')

function findPython(): string | undefined {
  try {
    return execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim()
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error
    if (process.env.WICKED_CACHE_ENGINES === 'required')
      throw new Error('python3 is not on the PATH.', { cause: error })
    console.warn('There is no python3: the tests of cache.py are skipped.')
    return undefined
  }
}

export const python = findPython()

/** Starts Python on a program that is given as text. `cache.py` can be imported. */
export function startPython(code: string, env: Record<string, string> = {}, args: readonly string[] = []): Child {
  const child = spawn(python as string, ['-c', code, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', PYTHONPATH: scripts, PYTHONDONTWRITEBYTECODE: '1', ...env },
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return new Child(child)
}

/** What such a program prints; its failure is one of the test. */
export async function runPython(code: string, env: Record<string, string> = {}, input = ''): Promise<Ended> {
  const child = startPython(code, env)
  child.end(input)
  const ended = await child.ended
  if (ended.code !== 0) throw new Error(`Python ended with ${ended.code ?? ended.signal}.\n${ended.stderr}`)
  return ended
}
