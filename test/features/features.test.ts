/**
 * The feature contract: ids pinned to outputs, names in every dialect, the generated page.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { describeFeatures } from '../../src/commands/features.ts'
import { WINDOW_FEATURES } from '../../src/context/window-features.ts'
import { columnNamed, spellingsOf } from '../../src/features/aliases.ts'
import { CIC_HEADER } from '../../src/features/cic.ts'
import { DEVIATIONS } from '../../src/features/deviations.ts'
import { DIFFERENCES } from '../../src/features/differences.ts'
import { FEATURES, featureSetId, featureVector } from '../../src/features/features.ts'
import { IDENTITY } from '../../src/features/identity.ts'
import { NETFLOW_HEADER, WINDOW_COLUMNS } from '../../src/features/netflow.ts'
import { referenceHeader } from '../../src/features/reference/columns.ts'
import { forEachSampleRow } from './sample-rows.ts'

const NONE: string[] = []
const pins = fileURLToPath(new URL('../golden/feature-set/', import.meta.url))

function sampleVectors(): Record<string, number | null>[] {
  const vectors: Record<string, number | null>[] = []
  forEachSampleRow((row) => vectors.push(featureVector(row)))
  return vectors
}

describe('the id of the feature set', () => {
  test('stands for these outputs: when they change without the table, raise FEATURE_SET_VERSION (features.ts)', async () => {
    const vectors = sampleVectors()
    const columns = Object.fromEntries(FEATURES.map(({ name }) => [name, vectors.map((vector) => vector[name])]))
    const lines = Object.entries(columns).map(([name, values]) => `  ${JSON.stringify(name)}: ${JSON.stringify(values)}`)
    // A new id makes a new file; under an old one the outputs must be the old ones. Never update a file in place.
    await expect(`{\n${lines.join(',\n')}\n}\n`).toMatchFileSnapshot(`${pins}${featureSetId}.json`)
  })

  test('only the current one is pinned', () => {
    expect(readdirSync(pins)).toEqual([`${featureSetId}.json`])
  })
})

describe('values', () => {
  const vectors = sampleVectors()

  test.each(FEATURES.map(({ name }) => name))('%s is measured somewhere, and a number or null everywhere', (name) => {
    const values = vectors.map((vector) => vector[name])
    expect(values.some((value) => value !== 0 && value !== null)).toBe(true)
    expect(values.filter((value) => value !== null && !Number.isFinite(value))).toEqual([])
  })

  test('only what says so is ever null', () => {
    const nulls = FEATURES.filter(({ name, empty }) => empty !== null && vectors.some((vector) => vector[name] === null))
    expect(nulls.map(({ name }) => name)).toEqual(NONE)
  })
})

describe('names', () => {
  test('are unique, of one case, and say their unit where they end in one', () => {
    const names = [...FEATURES.map(({ name }) => name), ...IDENTITY.map(({ name }) => name)]
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => !/^[a-z][a-z0-9_]*$/.test(name))).toEqual(NONE)
    expect(FEATURES.filter(({ name, unit }) => name.endsWith('_us') && unit !== 'µs').map(({ name }) => name)).toEqual(NONE)
  })

  test('CICFlowMeter: the 84 columns of the original, in its order', () => {
    expect(CIC_HEADER).toBe(referenceHeader('as-published'))
  })

  test('CICFlowMeter: what only the corrected tool has is a feature, or ICMP type and code', () => {
    const original = new Set(CIC_HEADER.split(','))
    const added = referenceHeader('corrected')
      .split(',')
      .filter((name) => !original.has(name))
    const features = FEATURES.flatMap(({ cicCorrected }) => cicCorrected ?? [])
    const others = added.filter((name) => !features.includes(name))
    expect(others.map((name) => columnNamed(name)?.name)).toEqual(['icmp_code', 'icmp_type'])
    expect(features.filter((name) => !added.includes(name))).toEqual(NONE)
  })

  test('NetFlow: the eighteen of an analyst’s record first', () => {
    const EIGHTEEN =
      'ID,IP_SRC_ADDR,IP_DST_ADDR,L4_SRC_PORT,L4_DST_PORT,PROTOCOL_NUM,FIRST_SWITCHED,LAST_SWITCHED,IN_PKTS,IN_BYTES,' +
      'FLOW_DURATION_MILLISECONDS,avg_in_packet_size,inter_arrival_ms,dst_flows_in_window,src_entropy_PROTOCOL,src_IN_PKTS_sum,' +
      'src_flows_in_window,src_flag_SYN'
    expect(NETFLOW_HEADER.startsWith(`${EIGHTEEN},`)).toBe(true)
    expect(WINDOW_FEATURES.map(({ name }) => name).sort()).toEqual([...WINDOW_COLUMNS].sort())
  })

  test('no two columns share a spelling', () => {
    const older = (head: string | undefined): string[] => (head === undefined ? [] : [head, ...spellingsOf(head)])
    const spellings = [
      ...FEATURES.map(({ name, cic, cicCorrected, netflow }) => [
        name,
        ...older(cic),
        ...older(cicCorrected),
        ...(netflow === undefined ? [] : [netflow]),
      ]),
      ...IDENTITY.map(({ name, cic, netflow }) => [name, ...older(cic), ...(netflow ?? [])]),
    ].flatMap((ofOne) => [...new Set(ofOne.map((spelling) => spelling.toLowerCase()))])
    expect(spellings.filter((spelling, i) => spellings.indexOf(spelling) !== i)).toEqual(NONE)
  })

  test.each([
    [' Total Backward Packets', 'bwd_packets'],
    ['Tot Bwd Pkts', 'bwd_packets'],
    ['total bwd packets', 'bwd_packets'],
    ['CWE Flag Count', 'cwr_flag_count'],
    ['Init_Win_bytes_forward', 'fwd_init_window'],
    ['Fwd Header Length.1', 'fwd_header_bytes'],
    ['Destination IP', 'dest_ip'],
    ['IPV6_DST_ADDR', 'dest_ip'],
    ['Bwd RST Flags', 'bwd_rst_flags'],
    ['IN_BYTES', 'fwd_bytes'],
    ['src_flag_SYN', 'src_flag_SYN'],
  ])("'%s' is %s", (spelling, name) => {
    expect(columnNamed(spelling)?.name).toBe(name)
  })

  test('units are converted', () => {
    expect(columnNamed('FLOW_DURATION_MILLISECONDS')).toEqual({ name: 'duration_us', kind: 'feature', unit: 1000 })
    expect(columnNamed('nothing of the kind')).toBeNull()
  })

  const published = fileURLToPath(new URL('../../../shared/data/flows/cicids2017-corrected-sample.csv', import.meta.url))
  test.skipIf(!existsSync(published))('a published data set: every column is known', () => {
    const [header] = readFileSync(published, 'utf8').split('\n')
    expect(header.split(',').filter((name) => columnNamed(name) === null)).toEqual(NONE)
  })
})

describe('differences and bugs', () => {
  test('numbers are unique', () => {
    const numbers = [...DIFFERENCES, ...DEVIATIONS].map(({ number }) => number)
    expect(numbers.filter((number, i) => numbers.indexOf(number) !== i)).toEqual(NONE)
  })

  test('a difference that touches cells is named by the features that it touches', () => {
    const named = new Set(FEATURES.flatMap(({ differences }) => differences ?? []))
    expect(DIFFERENCES.filter(({ touches, number }) => touches === 'cells' && !named.has(number)).map(({ number }) => number)).toEqual(NONE)
  })
})

describe('flowscribe features', () => {
  test('src/features/README.md is what it prints (npm run features-doc writes it)', () => {
    const page = readFileSync(new URL('../../src/features/README.md', import.meta.url), 'utf8')
    expect(page).toBe(describeFeatures(undefined))
  })

  test.each(['fwd_subflow_packets', 'Subflow Fwd Packets', 'subflow fwd pkts'])('--explain %s', (spelling) => {
    const text = describeFeatures(spelling)
    expect(text).toContain('### fwd_subflow_packets')
    expect(text).toContain('A8. CICFlowMeter: Subflow values are totals')
    expect(text).toContain('O21. In both: the number of subflows')
  })

  test.each([
    ['community_id', '`community_id`: Community ID, version 1'],
    ['Source IP', "`src_ip`: The initiator's address."],
    ['inter_arrival_ms', '`inter_arrival_ms` [ms]: Mean time'],
    ['src_flag_SYN', '`src_flag_SYN` [flows]:'],
  ])('--explain %s', (spelling, start) => {
    expect(describeFeatures(spelling).startsWith(start)).toBe(true)
  })

  test('--explain of what nobody measures', () => {
    expect(() => describeFeatures('fwd_iat_meen')).toThrow(
      "no feature is called 'fwd_iat_meen' in any dialect; did you mean 'fwd_iat_mean'?",
    )
  })
})
