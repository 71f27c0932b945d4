// Checks the options of `stats`, `gc` and `verify` before anything is done.

import type { GcOptions, StatsOptions, VerifyOptions } from '../api/index.js'
import { escapeNamespace } from '../base/layout.js'
import { assertFlag, assertOptionalFunction, assertOptions, refuseOption } from '../base/options.js'
import { checkLimits, LIMIT_OPTIONS } from '../policy/limits.js'

export function checkStatsOptions(options: StatsOptions | undefined): StatsOptions {
  const known = ['namespace', 'since', 'countsOnly', 'reset', 'onProgress', 'onEntry']
  const checked = assertOptions('stats', options, known)
  const { namespace, since, countsOnly = false, reset = false, onProgress, onEntry } = checked
  if (namespace !== undefined) escapeNamespace(namespace)
  if (since !== undefined && !Number.isFinite(since)) throw refuseOption('since must be a time in ms.', since)
  assertFlag('countsOnly', countsOnly)
  assertFlag('reset', reset)
  assertOptionalFunction('onProgress', onProgress)
  assertOptionalFunction('onEntry', onEntry)
  return checked
}

export function checkVerifyOptions(options: VerifyOptions): void {
  const { repair = false } = assertOptions('verify', options, ['repair', 'onProgress', 'signal'])
  assertFlag('repair', repair)
  assertProgressAndSignal(options)
}

export function checkGcOptions(options: GcOptions) {
  const known = ['namespace', 'dryRun', 'onProgress', 'signal', ...LIMIT_OPTIONS]
  const { namespace, dryRun = false, onProgress, signal } = assertOptions('gc', options, known)
  if (namespace !== undefined) escapeNamespace(namespace)
  assertFlag('dryRun', dryRun)
  assertProgressAndSignal(options)
  return { namespace, dryRun, onProgress, signal, limits: checkLimits(options) }
}

/** Checks the progress callback and the signal of a long call. */
function assertProgressAndSignal({
  onProgress,
  signal,
}: Pick<GcOptions | VerifyOptions, 'onProgress' | 'signal'>): void {
  assertOptionalFunction('onProgress', onProgress)
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw refuseOption('signal must be an AbortSignal.', signal)
  }
}
