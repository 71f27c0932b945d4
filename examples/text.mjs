// Numbers and tables for people.

/** @param {number} count */
export const countText = count => count.toLocaleString('en')

/** @param {number} ms */
export const timeText = ms => (ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`)

/** @param {number} sizeBytes */
export function sizeText(sizeBytes) {
  if (sizeBytes < 1024) return `${sizeBytes} B`
  const kilobytes = sizeBytes / 1024
  return kilobytes < 1000 ? `${kilobytes.toFixed(1)} KB` : `${(kilobytes / 1024).toFixed(1)} MB`
}

/**
 * Lines with the first column to the left and the others to the right, each as wide as its widest cell.
 *
 * @param {readonly (readonly string[])[]} rows of equal length
 */
export function tableText(rows) {
  /** @param {number} column */
  const widthOf = column => Math.max(...rows.map(cells => cells[column]?.length ?? 0))
  /** @param {readonly string[]} cells */
  const line = cells =>
    cells.map((cell, column) => cell[column === 0 ? 'padEnd' : 'padStart'](widthOf(column))).join('   ')
  return rows.map(line).join('\n')
}
