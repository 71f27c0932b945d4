// The tables of docs/hosts.md and of the pages below docs/hosts: all of them from the rows of one run.

/** @typedef {import('./tables.d.mts').Row} Row */

const [START, END] = ['<!-- examples: start -->\n', '<!-- examples: end -->']

/**
 * A page with the tables of these rows in the place of those that it has.
 *
 * @param {string} markdown
 * @param {Row[]} rows
 * @param {(row: Row) => string} nameOf
 */
export function withTables(markdown, rows, nameOf = ({ host }) => host) {
  const [before, rest, none] = markdown.split(START)
  const [, after] = rest?.split(END) ?? []
  if (after === undefined || none !== undefined) throw new Error(`A page needs one ${START}and one ${END}`)
  const peers = rows.flatMap(row => row.peers.map(peer => ({ row, peer })))
  const tables = [
    tableText(
      ['host', 'works', 'without', 'cold', 'warm', 'ratio', 'hits'],
      [0, 0, 1, 1, 1, 1, 1],
      rows.map(row => [nameOf(row), 'yes', row.without, row.cold, row.warm, row.ratio, row.hits]),
    ),
    ...(peers.length === 0 ? [] : [peersTable(peers, nameOf)]),
  ]
  return `${before}${START}${tables.join('\n')}${END}${after}`
}

/** @param {string} markdown */
export const tablesOf = markdown => markdown.split(START)[1]?.split(END)[0] ?? ''

/** What the table of our rows says besides figures and versions: which rows there are. @param {string} markdown */
export function shapeOf(markdown) {
  const [own = ''] = tablesOf(markdown).split('\n\n', 1)
  return own.trim().replace(/[\d.,]+( m?s)?/g, '#')
}

function peersTable(peers, nameOf) {
  return tableText(
    ['host', 'its own cache', 'cold', 'warm', 'ratio', 'ours, warm', 'ratio', 'right after edits'],
    [0, 0, 1, 1, 1, 1, 1, 0],
    peers.map(({ row, peer }) => [
      nameOf(row),
      peer.name,
      peer.cold,
      peer.warm,
      peer.ratio,
      row.warm,
      row.ratio,
      peer.isRight ? 'yes' : '**no**',
    ]),
  )
}

/**
 * @param {string[]} header
 * @param {number[]} isNumber by column
 * @param {string[][]} rows
 */
function tableText(header, isNumber, rows) {
  const lines = [header, isNumber.map(is => (is ? '---:' : '---')), ...rows]
  return lines.map(cells => `| ${cells.join(' | ')} |\n`).join('')
}
