// Parses the URL of a store.

export type HttpLayout = 'dav' | 'bazel' | 'turbo' | 'nx'

export interface Place {
  kind: 'http' | 'redis' | 's3' | 'file'
  url: URL
  layout: HttpLayout
}

const HTTP = /^(?:(dav|bazel|turbo|nx)\+)?(https?:)$/

/** Undefined if it isn't the URL of a store. */
export function parsePlace(text: string): Place | undefined {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:)(.*)$/is.exec(text.trim()) ?? []
  const [, layout = 'dav', protocol] = HTTP.exec(scheme.toLowerCase()) ?? []
  const url = parsed((protocol ?? scheme) + rest)
  if (!url) return undefined
  if (protocol) return { kind: 'http', url, layout: layout as HttpLayout }
  if (url.protocol === 'redis:' || url.protocol === 'rediss:') return place('redis', url, url.hostname !== '')
  if (url.protocol === 's3:') return place('s3', url, url.hostname !== '')
  if (url.protocol === 'file:') return place('file', url, url.pathname.length > 1)
  return undefined
}

function place(kind: Place['kind'], url: URL, isWhole: boolean): Place | undefined {
  return isWhole ? { kind, url, layout: 'dav' } : undefined
}

function parsed(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

/** The URL without user, password and query, any of which may be secret. */
export function shown({ url, layout, kind }: Place): string {
  const prefix = kind === 'http' && layout !== 'dav' ? `${layout}+` : ''
  return `${prefix}${url.protocol}//${url.host}${url.pathname}`
}
