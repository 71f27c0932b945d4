// HTML as text, in which whatever is not written in a template is escaped. Keys and paths come from whoever wrote the cache.

import { printable } from '../printable.js'

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** HTML that needs no escaping any more. */
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

/** The template with its values escaped, but for those that are markup. */
export function html(template: TemplateStringsArray, ...values: Part[]): Markup {
  return new Markup(template.reduce((text, piece, at) => text + textOf(values[at - 1]) + piece))
}
