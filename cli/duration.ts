// Durations on the command line: a number and a unit. A bare number is refused, since one half of its readers would take
// it for seconds and the other half for milliseconds.

import { UsageError } from './command.js'

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** @throws UsageError that names the option */
export function parseDurationMs(option: string, text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? []
  const durationMs = Number(number) * (UNIT_MS[unit as keyof typeof UNIT_MS] ?? Number.NaN)
  if (!Number.isFinite(durationMs)) {
    throw new UsageError(
      `--${option}: "${text}" is not a duration: write a number and a unit of ms, s, m, h or d, for example 30m`,
    )
  }
  return durationMs
}
