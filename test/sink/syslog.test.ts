/**
 * Alerts by syslog: what is on the wire byte by byte, and what a real rsyslogd makes of it.
 */
import { createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { defaultsOf } from '../../src/base/option.ts'
import { type AlertLine, makeAlertLine } from '../../src/explain/alert-line.ts'
import type { AlertEvent } from '../../src/score/evidence.ts'
import type { QueueChange } from '../../src/sink/delivery-queue.ts'
import { SYSLOG_OPTIONS } from '../../src/sink/options.ts'
import { DATAGRAM_BYTES_MAX, type SyslogSpeaker, structuredData, syslogMessage } from '../../src/sink/syslog-message.ts'
import { SyslogSink } from '../../src/sink/syslog-sink.ts'
import { framed, TcpTransport } from '../../src/sink/syslog-transport.ts'
import { ENVELOPE, loginGuessing, SAMPLES, verticalScan } from '../explain/alert-samples.ts'
import { HOSTILE_TEXTS } from '../explain/hostile-texts.ts'
import { temporaryFolder } from './endings.ts'
import { freePort, parseStructuredData, RSYSLOGD, Rsyslog, sleep } from './rsyslog.ts'

const SPEAKER: SyslogSpeaker = { facility: 'local5', host: 'sensor-a', procId: 77, enterpriseNumber: 32_473, message: 'text' }

function lineOf(alert: AlertEvent = verticalScan()): AlertLine {
  return makeAlertLine(alert, ENVELOPE)
}

/** An alert that holds this text wherever a syslog message might say it, past every earlier check. */
function hostileLine(text: string): AlertLine {
  const line = lineOf()
  const { alert } = line
  const attack = alert.attack.map((technique) => ({ ...technique, id: text }))
  const flows = alert.flows.map((flow) => ({ ...flow, communityId: text }))
  return {
    ...line,
    alert: { ...alert, kind: text, title: text, actor: text, victims: { addresses: [text], count: 1 }, id: text, attack, flows },
  }
}

describe('the message', () => {
  test('RFC 5424 with structured data and one sentence', () => {
    const { id } = verticalScan()
    expect(syslogMessage(lineOf(), SPEAKER, DATAGRAM_BYTES_MAX).toString()).toBe(
      `<172>1 2026-03-17T09:21:14.402118Z sensor-a flowscribe 77 alert [flowscribe@32473 kind="scan.vertical" sev="medium" src="10.0.0.7" dst="10.0.0.9" cid="1:wCb3OG7yAFWelaUydu0D+125CLM=" like="${verticalScan().likelihood.toFixed(2)}" mitre="T1046" id="${id}" event="open"] ${verticalScan().title} from 10.0.0.7 to 10.0.0.9: ${Math.round(verticalScan().likelihood * 100)} % likely, medium (scan.vertical, open, ${id})`,
    )
  })

  test.each([
    ['critical', 170],
    ['high', 171],
    ['medium', 172],
    ['low', 173],
    ['info', 174],
  ] as const)('%s is priority %i of local5', (severity, pri) => {
    expect(syslogMessage(lineOf({ ...verticalScan(), severity }), SPEAKER, 2048).toString()).toMatch(new RegExp(`^<${pri}>1 `))
  })

  test('the JSON line as MSG, or after @cee:; too long for a datagram, it is the sentence', () => {
    const line = lineOf()
    const json = syslogMessage(line, { ...SPEAKER, message: 'json' }, 70_000).toString()
    expect(JSON.parse(json.slice(json.indexOf('] {') + 2))).toEqual(JSON.parse(line.text))
    expect(syslogMessage(line, { ...SPEAKER, message: 'cee' }, 70_000).toString()).toContain('] @cee: {')
    expect(syslogMessage(line, { ...SPEAKER, message: 'json' }, 2048)).toEqual(syslogMessage(line, SPEAKER, 2048))
  })

  test('another enterprise number and facility; several victims are many', () => {
    const text = syslogMessage(lineOf(SAMPLES[1]()), { ...SPEAKER, facility: 'local7', enterpriseNumber: 99_999 }, 2048).toString()
    expect(text).toMatch(/^<18\d>1 /)
    expect(text).toContain('[flowscribe@99999 ')
    expect(text).toContain(' dst="many" ')
  })

  test.each(HOSTILE_TEXTS.concat('"]\\', '\\"', ']', '"'.repeat(5000), ']'.repeat(5000), '\u{1f600}'.repeat(900), '\ud800'))(
    'whatever %j says: one line, at most 2048 octets of UTF-8, structured data that parses to what was said',
    (text) => {
      const message = syslogMessage(hostileLine(text), { ...SPEAKER, host: text }, DATAGRAM_BYTES_MAX)
      expect(message.length).toBeLessThanOrEqual(DATAGRAM_BYTES_MAX)
      const decoded = new TextDecoder('utf-8', { fatal: true }).decode(message)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what is tested
      expect(decoded).not.toMatch(/[\u0000-\u001f\u007f]/)
      const parts = /^<\d+>1 \S+ ([\x21-\x7e]{1,255}) flowscribe 77 alert (\[.*\]) .*$/su.exec(decoded)
      const parsed = parseStructuredData(structuredData(hostileLine(text).alert, 32_473))
      expect(parsed).not.toBeNull()
      expect(decoded).toContain(structuredData(hostileLine(text).alert, 32_473))
      expect(parts).not.toBeNull()
      // Short and harmless for a terminal: said as it is.
      if (/^[ -~é]{1,90}$/.test(text)) expect(parsed?.params).toMatchObject({ src: text, dst: text, id: text, cid: text })
    },
  )

  test('octet counting counts octets, not characters', () => {
    expect(framed([Buffer.from('é'), Buffer.from('abc')]).toString()).toBe('2 é3 abc')
  })
})

let server: Rsyslog
let changes: QueueChange[]

async function newRsyslog(): Promise<() => Promise<void>> {
  server = new Rsyslog(temporaryFolder(), await freePort())
  changes = []
  return async () => await server.stop('SIGKILL')
}

function sink(settings: object = {}): SyslogSink {
  const target = `127.0.0.1:${server.port}`
  return new SyslogSink({ ...defaultsOf(SYSLOG_OPTIONS), target, host: 'sensor-a', ...settings }, (change) => changes.push(change))
}

/** A line with an id of its own. */
function numbered(i: number): AlertLine {
  return lineOf({ ...loginGuessing(), id: `n${i}` })
}

const idsIn = (messages: readonly { sd: string }[]): string[] => messages.map(({ sd }) => parseStructuredData(sd)?.params.id ?? '?')

describe.skipIf(RSYSLOGD === '')('a real rsyslogd (Debian: rsyslog)', () => {
  beforeEach(newRsyslog)

  test.each(['udp', 'tcp'])(
    '%s: rsyslog takes every field apart as it was meant',
    async (transport) => {
      await server.start()
      const out = sink({ transport })
      for (const sample of SAMPLES) out.add(lineOf(sample()))
      const hostile = ['"]\\', 'a" b="c"] [x', '\\', 'é]"']
      for (const text of hostile) out.add(hostileLine(text))
      expect(await out.close(8000)).toBe(0)
      const got = await server.received(SAMPLES.length + hostile.length)
      expect(got.length).toBe(SAMPLES.length + hostile.length)
      SAMPLES.forEach((sample, i) => {
        const alert = sample()
        expect(got[i]).toMatchObject({ host: 'sensor-a', app: 'flowscribe', procId: String(process.pid), msgId: 'alert' })
        expect(Date.parse(got[i].time)).toBe(Date.parse('2026-03-17T09:21:14.402Z'))
        expect(Number(got[i].pri) >> 3).toBe(21)
        const { id, params } = parseStructuredData(got[i].sd) ?? { id: '', params: {} }
        expect(id).toBe('flowscribe@32473')
        expect(params).toMatchObject({ kind: alert.kind, sev: alert.severity, src: alert.actor, id: alert.id, event: alert.event })
        expect(got[i].msg).toContain(alert.title)
      })
      for (const [i, text] of hostile.entries()) {
        const parsed = parseStructuredData(got[SAMPLES.length + i].sd)
        expect(parsed?.params).toMatchObject({ src: text, kind: text, mitre: text })
      }
      expect(changes).toEqual([])
    },
    30_000,
  )

  test('the whole JSON line over TCP', async () => {
    await server.start()
    const out = sink({ message: 'json' })
    const line = lineOf(SAMPLES[1]())
    out.add(line)
    expect(await out.close(8000)).toBe(0)
    const [{ msg }] = await server.received(1)
    expect(msg).toBe(line.text)
  }, 30_000)
})

describe.skipIf(RSYSLOGD === '')('a real rsyslogd that is not always there (Debian: rsyslog)', () => {
  beforeEach(newRsyslog)

  test('TCP: a server that stops, is killed and comes back, in the middle of it: every message arrives', async () => {
    await server.start()
    const out = sink()
    let sent = 0
    for (const signal of ['SIGTERM', 'SIGKILL', 'SIGTERM'] as const) {
      for (let i = 0; i < 150; i++) {
        out.add(numbered(sent++))
        if (i % 10 === 0) await sleep(1)
        if (i === 60) await server.stop(signal)
        if (i === 120) await server.start()
      }
      while (out.queue.length > 0) await sleep(20)
    }
    expect(await out.close(8000)).toBe(0)
    const ids = new Set(idsIn(await server.received(sent)))
    expect(Array.from({ length: sent }, (_, i) => `n${i}`).filter((id) => !ids.has(id))).toEqual([])
    expect(out.queue.counters).toMatchObject({ added: sent, delivered: sent, dropped: 0 })
    // Each outage is told once.
    const told = changes.map(({ state }) => state)
    expect(told.filter((state) => state === 'away').length).toBe(told.filter((state) => state === 'back').length)
    expect(told.length).toBeLessThanOrEqual(6)
    expect(told.length).toBeGreaterThan(0)
  }, 60_000)

  test('TCP: what does not fit while the server is away is lost, counted and told; what fits arrives when it comes', async () => {
    const out = sink({ queue_messages: 20 })
    for (let i = 0; i < 50; i++) out.add(numbered(i))
    await sleep(100)
    expect(changes.map(({ state }) => state).sort()).toEqual(['away', 'full'])
    expect(changes.find(({ state }) => state === 'away')).toMatchObject({ why: 'nobody listens there (connection refused)' })
    await server.start()
    out.queue.retryNow()
    expect(await out.close(8000)).toBe(0)
    expect(idsIn(await server.received(20))).toEqual(Array.from({ length: 20 }, (_, i) => `n${i}`))
    expect(out.queue.counters).toMatchObject({ added: 50, delivered: 20, dropped: 30 })
    expect(changes.at(-1)).toMatchObject({ state: 'back', droppedMeanwhile: 0 })
  }, 30_000)

  test('UDP: while nobody listens, the refusal is seen and the messages wait', async () => {
    const out = sink({ transport: 'udp' })
    for (let i = 0; i < 5; i++) out.add(numbered(i))
    await sleep(200)
    expect(changes).toMatchObject([{ state: 'away', why: 'nobody listens there (connection refused)' }])
    await server.start()
    out.queue.retryNow()
    expect(await out.close(8000)).toBe(0)
    expect(idsIn(await server.received(5))).toEqual(['n0', 'n1', 'n2', 'n3', 'n4'])
  }, 30_000)

  test('another server by reload: what waits goes there', async () => {
    const out = sink({ target: '127.0.0.1:1' })
    out.add(numbered(1))
    await sleep(100)
    await server.start()
    out.apply({ ...defaultsOf(SYSLOG_OPTIONS), target: `127.0.0.1:${server.port}` })
    expect(await out.close(8000)).toBe(0)
    expect(idsIn(await server.received(1))).toEqual(['n1'])
  }, 30_000)
})

describe('a server that misbehaves', () => {
  let port: number
  let sockets: Socket[]
  let behave: (socket: Socket) => void
  const peer = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    behave(socket)
  })
  beforeAll(async () => {
    await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve))
    port = (peer.address() as { port: number }).port
  })
  beforeEach(() => {
    sockets = []
    return () => {
      for (const socket of sockets) socket.destroy()
    }
  })
  afterAll(() => {
    peer.close()
  })

  const send = (transport: TcpTransport): Promise<void> => transport.send([Buffer.alloc(200_000, 'x')])

  test('it hangs up before it has read: not delivered', async () => {
    behave = (socket) => socket.destroy()
    await expect(send(new TcpTransport({ host: '127.0.0.1', port }))).rejects.toThrow('before it had read all')
  })

  test('it never reads: not delivered, and given up after three tries', async () => {
    behave = (socket) => socket.pause()
    const transport = new TcpTransport({ host: '127.0.0.1', port }, 150)
    const outcomes: string[] = []
    for (let i = 0; i < 3; i++)
      outcomes.push(
        await send(transport).then(
          () => 'delivered',
          (error: Error) => error.name,
        ),
      )
    expect(outcomes).toEqual(['Error', 'Error', 'Undeliverable'])
  })

  test('it talks back and only then closes: delivered', async () => {
    behave = (socket) => {
      socket.write('hello'.repeat(10_000))
      socket.resume()
      socket.on('end', () => socket.end())
    }
    await expect(send(new TcpTransport({ host: '127.0.0.1', port }))).resolves.toBeUndefined()
  })

  test('no such host', async () => {
    await expect(send(new TcpTransport({ host: 'no-such-host.invalid', port }))).rejects.toThrow(/no such host|cannot be looked up/)
  })
})
