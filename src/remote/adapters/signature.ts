// AWS Signature Version 4, https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html.

import { createHash, createHmac } from 'node:crypto'

export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken: string | undefined
  region: string
}

export interface SignedRequest {
  method: string
  url: URL
  body: Uint8Array | undefined
  /** Other headers to sign. */
  headers?: Record<string, string>
  now: Date
}

/** All headers of the request, the given ones included. */
export function signedHeaders(
  { accessKeyId, secretAccessKey, sessionToken, region }: Credentials,
  { method, url, body, headers = {}, now }: SignedRequest,
): Record<string, string> {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '')
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`
  const payload = sha256(body ?? '')
  const sent: Record<string, string> = {
    ...headers,
    'x-amz-content-sha256': payload,
    'x-amz-date': time,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
  }
  const signed = Object.entries({ ...sent, host: url.host }).sort(([one], [other]) => (one < other ? -1 : 1))
  const names = signed.map(([name]) => name).join(';')
  const lines = signed.map(([name, value]) => `${name}:${value.trim()}\n`).join('')
  const query = [...url.searchParams].map(pair => pair.map(encoded).join('=')).sort()
  const path = url.pathname.split('/').map(part => encoded(decodeURIComponent(part)))
  const canonical = [method, path.join('/'), query.join('&'), lines, names, payload].join('\n')
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')
  const key = [...scope.split('/')].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`)
  const signature = hmac(key, text).toString('hex')
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope},SignedHeaders=${names},Signature=${signature}`
  return { ...sent, authorization }
}

/** Encodes as RFC 3986 says. `encodeURIComponent` leaves five more characters as they are. */
export function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, each => `%${each.charCodeAt(0).toString(16).toUpperCase()}`)
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
