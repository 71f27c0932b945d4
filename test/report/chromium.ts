// Chromium as a test drives it: the DevTools protocol over a pipe, one page at a time.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-pipe',
]

export function isChromiumInstalled(): boolean {
  try {
    execFileSync('chromium', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

interface Message {
  id?: number
  method?: string
  params?: Record<string, unknown>
  result?: Record<string, unknown>
  error?: { message: string }
}

export class Chromium {
  /** What pages have said since `visit`: on the console, as exceptions, and which addresses they have asked for. */
  readonly said: string[] = []
  readonly requests: string[] = []
  readonly #process: ChildProcess
  readonly #profile = mkdtempSync(join(tmpdir(), 'wicked-cache-chromium-'))
  readonly #waiting = new Map<number, (message: Message) => void>()
  readonly #ended: Promise<void>
  #loaded: (() => void) | undefined
  #session: string | undefined
  #nextId = 0
  #rest = ''

  static async start(): Promise<Chromium> {
    const chromium = new Chromium()
    const { targetId } = await chromium.send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await chromium.send('Target.attachToTarget', { targetId, flatten: true })
    chromium.#session = sessionId as string
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await chromium.send(`${domain}.enable`)
    return chromium
  }

  private constructor() {
    this.#process = spawn('chromium', [...FLAGS, `--user-data-dir=${this.#profile}`], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    })
    this.#ended = new Promise(resolve => this.#process.on('exit', () => resolve()))
    const output = this.#process.stdio[4] as Readable
    output.setEncoding('utf8').on('data', (text: string) => this.#read(text))
  }

  async send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = ++this.#nextId
    const answered = new Promise<Message>(resolve => this.#waiting.set(id, resolve))
    const message = { id, method, params, ...(this.#session && { sessionId: this.#session }) }
    ;(this.#process.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`)
    const { result = {}, error } = await answered
    if (error) throw new Error(`${method}: ${error.message}`)
    return result
  }

  /** Opens the address; resolves when it is loaded. */
  async visit(url: string): Promise<void> {
    this.said.length = 0
    this.requests.length = 0
    const loaded = new Promise<void>(resolve => {
      this.#loaded = resolve
    })
    await this.send('Page.navigate', { url })
    await loaded
  }

  /** What the expression gives in the page, as JSON has it. */
  async evaluate(expression: string): Promise<unknown> {
    const answer = await this.send('Runtime.evaluate', { expression, returnByValue: true })
    if (answer.exceptionDetails) throw new Error(JSON.stringify(answer.exceptionDetails))
    return (answer.result as { value: unknown }).value
  }

  async press(key: string): Promise<void> {
    const text = key === 'Enter' ? '\r' : key === ' ' ? ' ' : undefined
    await this.send('Input.dispatchKeyEvent', { type: 'keyDown', key, code: key, ...(text && { text }) })
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', key, code: key })
  }

  async resize(width: number, height = 800): Promise<void> {
    await this.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false })
  }

  async prefer(scheme: 'light' | 'dark'): Promise<void> {
    const features = [{ name: 'prefers-color-scheme', value: scheme }]
    await this.send('Emulation.setEmulatedMedia', { features })
  }

  async end(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#ended
    // Its helpers may create files for another moment, for which Node doesn't list the directory again.
    for (let attempt = 1; ; attempt++) {
      try {
        return rmSync(this.#profile, { recursive: true, force: true })
      } catch (error) {
        if (attempt === 100) throw error
      }
      await setTimeout(50)
    }
  }

  #read(text: string): void {
    const messages = (this.#rest + text).split('\0')
    this.#rest = messages.pop() as string
    for (const each of messages) this.#take(JSON.parse(each))
  }

  #take(message: Message): void {
    const { id, method, params = {} } = message
    if (id !== undefined) {
      this.#waiting.get(id)?.(message)
      this.#waiting.delete(id)
    }
    if (method === 'Page.loadEventFired') this.#loaded?.()
    if (method === 'Network.requestWillBeSent') this.requests.push((params.request as { url: string }).url)
    if (['Runtime.exceptionThrown', 'Runtime.consoleAPICalled', 'Log.entryAdded'].includes(method ?? ''))
      this.said.push(JSON.stringify(params))
  }
}
