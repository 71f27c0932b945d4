/** A step that could not be taken, with a message that says all there is to say. */
export class StepError extends Error {
  override readonly name = 'StepError'
}
