import { connect, createServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { parseEndpoint } from '../../src/base/endpoint.ts'
import { plain, StatusServer } from '../../src/sink/status-server.ts'
import { freePort } from './rsyslog.ts'

const server = new StatusServer({
  '/healthz': () => plain(200, 'ok'),
  '/broken': () => {
    throw new Error('no idea')
  },
})
afterEach(async () => await server.close())

async function open(): Promise<string> {
  const listen = `127.0.0.1:${await freePort()}`
  await server.apply(listen)
  return `http://${listen}`
}

describe('status server', () => {
  test.each<[string, string, number, string]>([
    ['GET', '/healthz', 200, 'ok\n'],
    ['HEAD', '/healthz', 200, ''],
    ['GET', '/healthz?x=1', 200, 'ok\n'],
    ['GET', '/', 404, 'there are: /healthz /broken\n'],
    ['GET', '/__proto__', 404, 'there are: /healthz /broken\n'],
    ['GET', '/toString', 404, 'there are: /healthz /broken\n'],
    ['POST', '/healthz', 405, 'only GET and HEAD\n'],
    ['DELETE', '/healthz', 405, 'only GET and HEAD\n'],
    ['GET', '/broken', 500, 'no idea\n'],
  ])('%s %s: %i', async (method, path, status, body) => {
    const response = await fetch(`${await open()}${path}`, { method })
    expect({ status: response.status, body: await response.text() }).toEqual({ status, body })
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  })

  test.each([
    '\0\0\0',
    'GET /healthz HTTP/9.9\r\n\r\n',
    `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
    'GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n',
  ])('what is no request, %#: answered or cut off, and the next one is served', async (bytes) => {
    const url = await open()
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes))
    socket.on('error', () => {})
    await new Promise((resolve) => socket.once('data', resolve).once('close', resolve))
    socket.destroy()
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  test('clients that say nothing do not keep it from closing', async () => {
    const url = await open()
    const idle = Array.from({ length: 20 }, () => connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {}))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await server.close()
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
    for (const socket of idle) socket.destroy()
  })

  test('a port that is taken: one line that says so, and the old place stays', async () => {
    const url = await open()
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    await expect(server.apply(`127.0.0.1:${port}`)).rejects.toThrow(
      `cannot listen at 127.0.0.1:${port} (metrics.listen): the port is taken, perhaps by another sensor: choose another`,
    )
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    taken.close()
    await expect(server.apply('192.0.2.1:9477')).rejects.toThrow('no interface of this machine has that address')
    await server.apply('')
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
  })
})

test.each<[string, object | null]>([
  ['127.0.0.1:9477', { host: '127.0.0.1', port: 9477 }],
  ['[::1]:514', { host: '::1', port: 514 }],
  ['[fe80::1%eth0]:514', { host: 'fe80::1%eth0', port: 514 }],
  ['logs.example.org:514', { host: 'logs.example.org', port: 514 }],
  ['127.0.0.300:514', null],
  ['127.0.0:514', null],
  ['127.0.0.1', null],
  [':514', null],
  ['::1:514', null],
  ['[127.0.0.1]:514', null],
  ['host:0', null],
  ['host:65536', null],
  ['host:5x', null],
  ['a b:514', null],
  ['http://host:514', null],
  ['', null],
])('endpoint %j', (text, endpoint) => {
  expect(parseEndpoint(text)).toEqual(endpoint)
})
