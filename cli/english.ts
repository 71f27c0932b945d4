// The bundle has this in place of y18n, which looks for translations in a directory beside its own package: seen from
// the bundle, that is a directory of somebody else.

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
