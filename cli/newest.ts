// Which version of a plugin a person means who names none: the one that stored the newest entry of the key.

import type { Namespace } from '../src/index.js'

export function newestVersion(namespace: Namespace, key: string): string {
  const [newest] = namespace.find(key).sort((a, b) => b.createdAt - a.createdAt)
  return newest?.version ?? ''
}
