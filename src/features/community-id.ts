/**
 * Community ID v1 (github.com/corelight/community-id-spec): one name for a conversation in every tool.
 */
import { createHash } from 'node:crypto'
import { parseAddress } from '../base/address.ts'
import type { Flow } from '../flow/flow.ts'

export function communityIdOf(flow: Flow): string {
  const bytes = flow.addr.map((text) => addressBytes(text))
  const hash = createHash('sha1').update(Buffer.from([0, 0]))
  const order = Buffer.compare(bytes[0], bytes[1]) || flow.port[0] - flow.port[1]
  const [a, b] = order <= 0 ? [0, 1] : [1, 0]
  hash
    .update(bytes[a])
    .update(bytes[b])
    .update(Buffer.from([flow.proto, 0]))
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(flow.port[a], 0)
  ports.writeUInt16BE(flow.port[b], 2)
  return `1:${hash.update(ports).digest('base64')}`
}

function addressBytes(text: string): Buffer {
  const words = parseAddress(text) ?? [0, 0, 0, 0]
  const bytes = Buffer.alloc(16)
  for (const [i, word] of words.entries()) bytes.writeInt32BE(word, i * 4)
  return text.includes(':') ? bytes : bytes.subarray(12)
}
