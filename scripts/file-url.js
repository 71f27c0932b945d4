// `import.meta.url` of what was an ES module before it was bundled as CommonJS.
import { pathToFileURL } from 'node:url'

export const __fileUrl = pathToFileURL(__filename).href
