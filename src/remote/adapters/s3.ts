// S3 and compatible stores: `s3://bucket/prefix?region=eu-central-1&endpoint=https://…`. Credentials come from the
// environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN. Nothing is ever listed or deleted. Use the
// bucket's lifecycle rules to limit its size.

import { setMaxListeners } from 'node:events'
import type { RemoteAdapter } from '../../api/index.js'
import { RemoteFailure } from '../failure.js'
import type { Place } from '../place.js'
import type { Settings } from '../settings.js'
import { assertStored, objectIn } from './http.js'
import { HTTP_BATCH, HttpClient, type HttpResponse } from './http-client.js'
import { type Credentials, encoded, signedHeaders } from './signature.js'

/** @throws RemoteFailure if the endpoint isn't a URL */
export function createS3Adapter({ url }: Place, { timeouts, maxBytes }: Settings): RemoteAdapter {
  const { env } = process
  const region = url.searchParams.get('region') || env.AWS_REGION || env.AWS_DEFAULT_REGION || 'us-east-1'
  const base = baseOf(url, region, env)
  const credentials = credentialsOf(region, env)
  const client = new HttpClient({
    connectMs: timeouts.connectMs,
    origin: base.origin,
    maxBytes,
    authorize: ({ method, url: signed, body }) =>
      credentials ? signedHeaders(credentials, { method, url: signed, body, now: new Date() }) : {},
  })
  const urlOf = (name: string) => new URL(`${base.href}${name.slice(0, 2)}/${name.slice(2)}`)
  return {
    maxBatch: HTTP_BATCH,
    getMany(names, signal) {
      setMaxListeners(0, signal)
      const get = async (name: string) => {
        const response = await client.request({ method: 'GET', url: urlOf(name), signal })
        // Without the right to list the bucket, S3 answers 403 for missing objects.
        return isDenied(response) ? undefined : objectIn(response)
      }
      return Promise.all(names.map(get))
    },
    async put(name, bytes, signal) {
      const response = await client.request({ method: 'PUT', url: urlOf(name), body: bytes, signal })
      // A wrong signature fails for reads as well.
      if (response.status === 403 && !isDenied(response))
        throw new RemoteFailure('off', `it answered ${codeOf(response)}`)
      assertStored(response)
    },
    close: () => client.close(),
  }
}

/** Ends with a slash. */
function baseOf({ hostname: bucket, pathname, searchParams }: URL, region: string, env: NodeJS.ProcessEnv): URL {
  const prefix = pathname
    .split('/')
    .filter(part => part !== '')
    .map(part => `${encoded(decodeURIComponent(part))}/`)
    .join('')
  const endpoint = searchParams.get('endpoint') || env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL
  try {
    if (endpoint) return new URL(`${endpoint.replace(/\/+$/, '')}/${bucket}/${prefix}`)
    const domain = `s3.${region}.amazonaws.com`
    // A wildcard certificate covers only one label before the domain.
    return new URL(
      bucket.includes('.') ? `https://${domain}/${bucket}/${prefix}` : `https://${bucket}.${domain}/${prefix}`,
    )
  } catch {
    throw new RemoteFailure('off', 'its endpoint is no URL')
  }
}

function credentialsOf(region: string, env: NodeJS.ProcessEnv): Credentials | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN } = env
  if (!accessKeyId || !secretAccessKey) return undefined
  return { accessKeyId, secretAccessKey, sessionToken: AWS_SESSION_TOKEN || undefined, region }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
function codeOf({ body, status }: HttpResponse): string {
  return /<Code>(\w{1,64})<\/Code>/.exec(body.toString('latin1', 0, 4096))?.[1] ?? String(status)
}

function isDenied(response: HttpResponse): boolean {
  return response.status === 403 && codeOf(response) === 'AccessDenied'
}
