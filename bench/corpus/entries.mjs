// Keys and values for stores of any size, made from the summaries of real files.

/** @param {number} i */
export const keyAt = i => `/home/user/projects/p${i % 97}/src/modules/file-${i}.js`

/**
 * The i-th of any number of different values of realistic size.
 *
 * @param {readonly object[]} summaries
 * @param {number} i
 */
export const valueAt = (summaries, i) => ({ ...summaries[i % summaries.length], path: keyAt(i) })
