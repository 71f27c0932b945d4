import { html, type Markup } from './markup.js'

/** The first column is the row's header. The others are numbers, unless their titles begin with `'`. */
export function table(
  caption: string,
  titles: readonly string[],
  rows: readonly (readonly (string | Markup)[])[],
): Markup {
  const kinds = titles.map((title, at) => (at === 0 || title.startsWith("'") ? 'text' : 'number'))
  const head = titles.map(
    (title, at) => html`<th scope="col" class="${kinds[at] as string}">${title.replace(/^'/, '')}</th>`,
  )
  const body = rows.map(
    row => html`<tr>${row.map((cell, at) => (at === 0 ? html`<th scope="row" class="text">${cell}</th>` : html`<td class="${kinds[at] as string}">${cell}</td>`))}</tr>
`,
  )
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table><caption>${caption}</caption><thead><tr>${head}</tr></thead><tbody>
${body}</tbody></table></div>`
}

/** A share of 1 as a bar with its number. */
export function share(ratio: number | null): Markup {
  if (ratio === null) return html`–`
  const percent = (ratio * 100).toFixed(1)
  return html`<svg class="bar" aria-hidden="true"><rect class="all" width="100%" height="100%"/><rect width="${percent}%" height="100%"/></svg> ${percent} %`
}

/** Text from a key or a path, of any length and direction. */
export function name(text: string): Markup {
  return html`<bdi>${cut(text)}</bdi>`
}

const MAX_TEXT = 200

/** The start of a long text, not cut within a character. */
export function cut(text: string): string {
  if (text.length <= MAX_TEXT) return text
  const isWithin = (text.codePointAt(MAX_TEXT - 1) as number) > 0xffff
  return `${text.slice(0, isWithin ? MAX_TEXT - 1 : MAX_TEXT)}…`
}
