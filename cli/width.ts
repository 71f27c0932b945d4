// In place of string-width, of which yargs and its helpers bring several versions: each sets up a segmenter of the language's
// graphemes when it is loaded. What they lay out here is the help, which is ASCII (`test/cli/usage.test.ts`).

export default function widthOf(text: string): number {
  return text.length
}
