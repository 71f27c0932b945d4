/** More than half of what there is of the stack by default. */
const AMPLE_FRAMES = 6000

/** Whether little of the stack is left, so that nested values cannot be decoded, and not for a fault of theirs. */
export function isStackShort(): boolean {
  const descend = (frames: number): number => (frames === 0 ? 0 : 1 + descend(frames - 1))
  try {
    return descend(AMPLE_FRAMES) !== AMPLE_FRAMES
  } catch (error) {
    if (error instanceof RangeError) return true
    throw error
  }
}
