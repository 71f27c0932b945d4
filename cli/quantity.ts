// Parses durations, sizes and counts in options. The forms are the same as in the library's environment variables.

import { type Context, UsageError } from './command.js'

const COUNT = /^\d{1,15}$/

function refuse(option: string, text: string, form: string): UsageError {
  return new UsageError(`--${option}: "${text}" is not ${form}`)
}

/** @throws UsageError that names the option */
export async function parseDurationMs(option: string, text: string, context: Context): Promise<number> {
  const durationMs = (await context.library()).parseDuration(text)
  if (durationMs !== undefined) return durationMs
  throw refuse(option, text, 'a duration: write a number and a unit of ms, s, m, h or d, for example 30m')
}

/** @throws UsageError that names the option */
export async function parseSizeBytes(option: string, text: string, context: Context): Promise<number> {
  const sizeBytes = (await context.library()).parseSize(text)
  if (sizeBytes !== undefined) return sizeBytes
  throw refuse(option, text, 'a size: write a number and a unit of B, KB, MB, GB or TB, for example 2GB')
}

/** @throws UsageError that names the option */
export function parseCount(option: string, text: string): number {
  if (COUNT.test(text)) return Number(text)
  throw refuse(option, text, 'a whole number')
}
