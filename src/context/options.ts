/**
 * What can be configured about the memory of hosts, pairs and services.
 *
 * Out: one row an option; all limits are hard, and each has a counter in `Context.counters` for reaching it.
 */

import type { OptionTable } from '../base/option.ts'

export const CONTEXT_OPTIONS = {
  hosts_max: {
    kind: 'integer',
    default: 65_536,
    min: 64,
    max: 4_194_304,
    unit: 'hosts',
    comment:
      'Hosts remembered, about 1 kB each when busy, 0.5 kB when heard of once. When full, the host heard of longest ago is forgotten.',
  },
  pairs_max: {
    kind: 'integer',
    default: 131_072,
    min: 64,
    max: 8_388_608,
    unit: 'pairs',
    comment:
      'Client-server pairs remembered, about 0.7 kB each, 2.4 kB when the client comes again and again. When full, the oldest is forgotten.',
  },
  services_max: {
    kind: 'integer',
    default: 65_536,
    min: 64,
    max: 4_194_304,
    unit: 'services',
    comment: 'Services (server address and port that has answered) remembered.',
  },
  session_windows_max: {
    kind: 'integer',
    default: 16_384,
    min: 16,
    max: 1_048_576,
    unit: 'windows',
    comment: 'Client-service pairs whose single sessions are kept for five to ten minutes, at most 256 sessions each.',
  },
  series_max: {
    kind: 'integer',
    default: 65_536,
    min: 64,
    max: 4_194_304,
    unit: 'series',
    comment:
      'Client-service pairs whose connections are remembered one by one, about 1.5 kB each when busy; kindred tables take a share of it.',
  },
  host_histories_max: {
    kind: 'integer',
    default: 16_384,
    min: 64,
    max: 1_048_576,
    unit: 'hosts',
    comment: 'Inside hosts whose usual hours are remembered for weeks, about 1 kB each. Part of the baseline.',
  },
  pair_histories_max: {
    kind: 'integer',
    default: 65_536,
    min: 64,
    max: 4_194_304,
    unit: 'pairs',
    comment: 'Pairs of an inside client and its server that are remembered for weeks, about 250 B each. Part of the baseline.',
  },
  destination_windows_max: {
    kind: 'integer',
    default: 2048,
    min: 16,
    max: 65_536,
    unit: 'windows',
    comment: 'Busy destinations watched second by second, about 25 kB each.',
  },
  arp_max: {
    kind: 'integer',
    default: 16_384,
    min: 64,
    max: 1_048_576,
    unit: 'entries',
    comment: 'Network cards, and as many addresses that they claim, remembered from ARP; about 1 kB each.',
  },
} as const satisfies OptionTable
