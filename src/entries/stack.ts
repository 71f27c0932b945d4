/** More than half of the default stack. */
const AMPLE_FRAMES = 6000

/** Whether so little of the stack is left that decoding nested values may fail although they are intact. */
export function isStackShort(): boolean {
  const descend = (frames: number): number => (frames === 0 ? 0 : 1 + descend(frames - 1))
  try {
    return descend(AMPLE_FRAMES) !== AMPLE_FRAMES
  } catch (error) {
    if (error instanceof RangeError) return true
    throw error
  }
}
