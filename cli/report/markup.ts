// HTML templates that escape every value, because keys and paths may come from anyone.

import { printable } from '../printable.js'

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** HTML that is already escaped. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Part = Markup | string | number | false | undefined | readonly Part[]

/** Control characters, lone surrogates and what changes the direction of text are shown by their codes. */
export function escapeHtml(text: string): string {
  return printable(text).replace(/[&<>"']/g, char => ENTITIES[char] as string)
}

function textOf(part: Part): string {
  if (part instanceof Markup) return part.text
  if (part === undefined || part === false) return ''
  if (typeof part === 'object') return part.map(textOf).join('')
  return escapeHtml(String(part))
}

/** The template with its values escaped, except those that are markup. */
export function html(template: TemplateStringsArray, ...values: Part[]): Markup {
  return new Markup(template.reduce((text, piece, at) => text + textOf(values[at - 1]) + piece))
}
