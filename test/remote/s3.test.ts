// Signatures as documented by AWS, and the responses of S3.

import { expect, onTestFinished, test } from 'vitest'
import { createS3Adapter } from '../../src/remote/adapters/s3.js'
import { signedHeaders } from '../../src/remote/adapters/signature.js'
import { type Settings, settingsOf } from '../../src/remote/settings.js'
import { memoryServer } from './http-servers.js'
import { PATIENT, writer } from './machines.js'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "Examples: Signature calculations". */
const CREDENTIALS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  sessionToken: undefined,
  region: 'us-east-1',
}
const now = new Date('2013-05-24T00:00:00Z')
const signatureOf = ({ authorization = '' }: Record<string, string>) => authorization.split('Signature=')[1]

test('requests are signed as in the AWS documentation', () => {
  const get = { method: 'GET', url: new URL('https://examplebucket.s3.amazonaws.com/test.txt'), body: undefined, now }
  expect(signatureOf(signedHeaders(CREDENTIALS, { ...get, headers: { range: 'bytes=0-9' } }))).toBe(
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  )
  const put = {
    method: 'PUT',
    url: new URL('https://examplebucket.s3.amazonaws.com/test$file.text'),
    body: Buffer.from('Welcome to Amazon S3.'),
    headers: { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
    now,
  }
  expect(signatureOf(signedHeaders(CREDENTIALS, put))).toBe(
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  )
  const list = {
    method: 'GET',
    url: new URL('https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J'),
    body: undefined,
    now,
  }
  expect(signatureOf(signedHeaders(CREDENTIALS, list))).toBe(
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  )
})

const name = 'ab'.repeat(32)
const never = () => new AbortController().signal

function environment(variables: Record<string, string>) {
  for (const [key, value] of Object.entries(variables)) {
    process.env[key] = value
    onTestFinished(() => {
      delete process.env[key]
    })
  }
}

function adapterOf(url: string) {
  const settings = settingsOf({ timeouts: PATIENT, ...writer, url }, {}, undefined) as Settings
  const adapter = createS3Adapter(settings.place as NonNullable<Settings['place']>, settings)
  onTestFinished(() => adapter.close())
  return adapter
}

test('paths have the bucket and prefix, and requests are signed for their region', async () => {
  const server = await memoryServer()
  environment({ AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_ENDPOINT_URL_S3: server.url })
  await adapterOf('s3://my.bucket/team cache/?region=eu-central-1').put(name, Buffer.from('x'), never())
  const [request] = server.requests
  expect(request?.path).toBe(`/my.bucket/team%20cache/ab/${name.slice(2)}`)
  expect(request?.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=id\/\d{8}\/eu-central-1\/s3\/aws4_request,/)
  expect(request?.authorization).not.toContain('secret')
})

test('AccessDenied for an object is a miss, and a wrong signature turns the remote off', async () => {
  const server = await memoryServer()
  let code = 'AccessDenied'
  server.interfere = (request, response) => {
    request.resume()
    response.writeHead(403).end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>secret</Message></Error>`)
    return true
  }
  const adapter = adapterOf(`s3://bucket?endpoint=${server.url}`)
  expect(await adapter.getMany([name], never())).toEqual([undefined])
  await expect(adapter.put(name, Buffer.from('x'), never())).rejects.toMatchObject({ kind: 'readonly' })
  code = 'SignatureDoesNotMatch'
  await expect(adapter.getMany([name], never())).rejects.toMatchObject({ kind: 'off' })
  await expect(adapter.put(name, Buffer.from('x'), never())).rejects.toMatchObject({ kind: 'off' })
})
