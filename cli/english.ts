// Replaces y18n in the bundle. y18n looks for translations in a directory next to its package, which for the bundle would be
// someone else's directory.

import { format } from 'node:util'

type Forms = string | { one: string; other: string }

export default function english() {
  const replaced: Record<string, Forms> = {}
  return {
    __: (text: string, ...values: unknown[]) => format(replaced[text] ?? text, ...values),
    __n: (one: string, other: string, count: number, ...values: unknown[]) => {
      const forms = replaced[one]
      const [singular, plural] = typeof forms === 'object' ? [forms.one, forms.other] : [one, other]
      const text = count === 1 ? singular : plural
      return format(text, ...(text.includes('%d') ? [count] : []), ...values)
    },
    getLocale: () => 'en',
    setLocale: () => undefined,
    updateLocale: (texts: Record<string, Forms>) => {
      Object.assign(replaced, texts)
    },
  }
}
