// Figures for people: three digits say all that a measurement of this kind can.

/** @param {number} value */
export function figure(value) {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 1000) return Math.round(value).toLocaleString('en')
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)
}

/** @param {number} ratio */
export const percent = ratio => `${Math.round(ratio * 100)} %`
