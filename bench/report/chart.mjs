// Bar charts as one SVG that reads on light and dark pages. Short bars are good; a bar that would dwarf the others is
// broken off, its figure tells the rest.

import { figure } from './text.mjs'

/**
 * @typedef {object} Panel
 * @property {string} title
 * @property {string} unit
 * @property {{ name: string, value: number, isOurs: boolean }[]} bars
 */

const COLUMNS = 2
const PANEL = { width: 470, titleHeight: 34, barHeight: 15, step: 21, bottom: 18 }
const NAMES_WIDTH = 195
const BAR_WIDTH = 205
/** The longest bar, in lengths of ours. */
const LONGEST = 6

const STYLE = `text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}.ours{fill:#0969da}.other{fill:#8c959f}
.mine{font-weight:600}@media (prefers-color-scheme:dark){text{fill:#e6edf3}.ours{fill:#4493f8}.other{fill:#7d8590}}`

/** @param {readonly Panel[]} panels */
export function chart(panels) {
  let y = 0
  const rows = []
  for (let i = 0; i < panels.length; i += COLUMNS) {
    const row = panels.slice(i, i + COLUMNS)
    rows.push(...row.map((panel, column) => panelText(panel, column * (PANEL.width + 10), y)))
    y += Math.max(...row.map(({ bars }) => PANEL.titleHeight + bars.length * PANEL.step + PANEL.bottom))
  }
  const width = COLUMNS * PANEL.width + 10
  const told = panels.map(({ title, unit, bars }) => {
    return `${title}: ${bars.map(({ name, value }) => `${name} ${figure(value)} ${unit}`).join(', ')}.`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" role="img" aria-labelledby="title description">
<title id="title">wicked-cache and its peers: medians, shorter is better</title>
<desc id="description">${escaped(told.join(' '))}</desc>
<style>${STYLE}</style>
${rows.join('\n')}
</svg>
`
}

/** @param {Panel} panel @param {number} x @param {number} y */
function panelText({ title, unit, bars }, x, y) {
  const ours = bars.find(({ isOurs }) => isOurs)?.value ?? Number.POSITIVE_INFINITY
  const longest = Math.min(LONGEST * ours, Math.max(...bars.map(({ value }) => value)))
  const lines = bars.map(({ name, value, isOurs }, i) => {
    const top = PANEL.titleHeight + i * PANEL.step
    const baseline = top + PANEL.barHeight - 3
    const length = (Math.max(0, Math.min(value, longest)) / longest) * BAR_WIDTH
    const kind = isOurs ? 'ours' : 'other'
    const width = value > longest ? length - 12 : Math.max(length, 1)
    const mark = (/** @type {number} */ from, /** @type {number} */ size) =>
      `<rect class="${kind}" x="${from.toFixed(1)}" y="${top}" width="${size.toFixed(1)}" height="${PANEL.barHeight}" rx="2"/>`
    const end = value > longest ? mark(NAMES_WIDTH + width + 4, 8) : ''
    const label = isOurs ? ' class="mine"' : ''
    return `<text${label} x="${NAMES_WIDTH - 8}" y="${baseline}" text-anchor="end">${escaped(name)}</text>${mark(NAMES_WIDTH, width)}${end}<text${label} x="${(NAMES_WIDTH + length + 7).toFixed(1)}" y="${baseline}">${figure(value)}</text>`
  })
  return `<g transform="translate(${x} ${y})"><text class="title" x="8" y="18">${escaped(title)}, ${escaped(unit)}</text>
${lines.join('\n')}</g>`
}

/** @param {string} text */
const escaped = text => text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
