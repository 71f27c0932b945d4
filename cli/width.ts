// Replaces string-width in the bundle. yargs and its helpers use several versions of it, and each creates a grapheme
// segmenter when it is loaded. Here they only lay out the help, which is ASCII (`test/cli/usage.test.ts`).

export default function widthOf(text: string): number {
  return text.length
}
