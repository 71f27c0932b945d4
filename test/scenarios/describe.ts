import type { PlainStep } from './expand.js'
import type { ActorStep, Step } from './format.js'

const SHOWN = 40

/** A step in words, for messages: `get "key" in "namespace"`. */
export function describe(step: PlainStep<Step> | ActorStep): string {
  const quoted = (text: string) => JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text)
  const words: string[] = [step.step]
  if ('key' in step && step.key !== undefined) words.push(quoted(step.key))
  if ('for' in step) words.push('for', [step.for].flat().map(quoted).join(', '))
  if ('namespace' in step) words.push('in', quoted(step.namespace))
  if ('version' in step && step.version !== undefined) words.push('of version', quoted(step.version))
  if ('cwd' in step && step.cwd !== undefined) words.push('at', quoted(step.cwd))
  if ('file' in step) words.push(quoted(step.file))
  if ('command' in step) words.push(step.command.map(quoted).join(' '))
  return words.join(' ')
}
