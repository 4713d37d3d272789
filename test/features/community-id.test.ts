/**
 * Community ID against the vectors of its specification.
 */
import { describe, expect, test } from 'vitest'
import { communityId, communityIdOf } from '../../src/features/community-id.ts'
import { sampleFlow } from './sample-rows.ts'

const [A, B] = ['1.2.3.4', '5.6.7.8']
const [A6, B6] = ['fe80:1:203:405:607:809:a0b:c0d', 'fe80:1011:1213:1415:1617:1819:1a1b:1c1d']

type Vector = [what: string, proto: number, src: string, dst: string, srcPort: number, dstPort: number, seed: number, id: string]

const VECTORS: readonly Vector[] = [
  ['TCP', 6, A, B, 1122, 3344, 0, '1:wCb3OG7yAFWelaUydu0D+125CLM='],
  ['TCP, the other direction', 6, B, A, 3344, 1122, 0, '1:wCb3OG7yAFWelaUydu0D+125CLM='],
  ['TCP, seed 1', 6, A, B, 1122, 3344, 1, '1:HhA1B+6CoLbiKPEs5nhNYN4XWfk='],
  ['UDP', 17, A, B, 1122, 3344, 0, '1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg='],
  ['SCTP', 132, A, B, 1122, 3344, 0, '1:EKt4MsxuyaE6mL+hmrEkQ9csDD8='],
  ['ICMP echo request', 1, A, B, 8, 0, 0, '1:crodRHL2FEsHjbv3UkRrfbs4bZ0='],
  ['ICMP echo reply', 1, B, A, 0, 0, 0, '1:crodRHL2FEsHjbv3UkRrfbs4bZ0='],
  ['ICMP time exceeded, one-way', 1, A, B, 11, 0, 0, '1:f/YiSyWqczrTgfUCZlBUnvHRcPk='],
  ['ICMPv6 echo request', 58, A6, B6, 128, 0, 0, '1:0bf7hyMJUwt3fMED7z8LIfRpBeo='],
  ['ICMPv6 echo reply', 58, B6, A6, 129, 0, 0, '1:0bf7hyMJUwt3fMED7z8LIfRpBeo='],
  ['ICMPv6 type 146, one-way', 58, A6, B6, 146, 0, 0, '1:fYC8+pz24E+EhANP1EZhpX0Dw10='],
  ['RSVP: no ports', 46, A, B, 0, 0, 0, '1:ikv3kmf89luf73WPz1jOs49S768='],
  ['RSVP, the other direction', 46, B, A, 0, 0, 0, '1:ikv3kmf89luf73WPz1jOs49S768='],
  ['a web request', 6, '128.232.110.120', '66.35.250.204', 34855, 80, 0, '1:LQU9qZlK+B5F3KDmev6m5PMibrg='],
  ['a DNS query', 17, '192.168.1.52', '8.8.8.8', 54585, 53, 0, '1:d/FP5EW3wiY1vCndhwleRRKHowQ='],
  ['TCP over IPv6', 6, '2001:470:e5bf:dead:4957:2174:e82c:4887', '2607:f8b0:400c:c03::1a', 63943, 25, 0, '1:/qFaeAR+gFe1KYjMzVDsMv+wgU4='],
]

describe('community id', () => {
  test.each(VECTORS)('%s', (_, proto, src, dst, srcPort, dstPort, seed, id) => {
    expect(communityId(proto, src, dst, srcPort, dstPort, seed)).toBe(id)
  })

  test('one-way types are not reordered', () => {
    expect(communityId(1, B, A, 11, 0)).not.toBe(communityId(1, A, B, 11, 0))
  })

  test('an address that is none', () => {
    expect(() => communityId(6, 'x', B, 1, 2)).toThrow("'x' is not an address")
  })

  test('of a flow', () => {
    expect(communityIdOf({ ...sampleFlow(), proto: 17, addr: [A, B], port: [1122, 3344] })).toBe('1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg=')
  })
})
