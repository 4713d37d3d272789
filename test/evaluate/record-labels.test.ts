import { describe, expect, it } from 'vitest'
import { BENIGN, onlyLines, readRecordLabels, UNLABELLED } from './record-labels.ts'

const ZEEK = [
  '#fields\tts\tuid\tlabel\tdetailedlabel',
  '1\tC1\tBenign\tGoogle',
  '2\tC2\tMalicious\tCC',
  '3\tC3\tBackground\t(empty)',
  '',
].join('\n')

describe('labels of flow records', () => {
  it('a Zeek log: by line, and none of it left for the scorer', () => {
    const labels = readRecordLabels(ZEEK)
    expect([...labels.byLine]).toEqual([
      [2, 'Benign'],
      [3, 'Malicious'],
      [4, 'Background'],
    ])
    expect(labels.blanked).toBe('#fields\tts\tuid\tlabel\tdetailedlabel\n1\tC1\t-\t-\n2\tC2\t-\t-\n3\tC3\t-\t-\n')
    expect(onlyLines(labels, (label) => label === BENIGN)).toBe('#fields\tts\tuid\tlabel\tdetailedlabel\n1\tC1\t-\t-\n')
  })

  it('a Zeek log without labels', () => {
    const labels = readRecordLabels('#fields\tts\tuid\n1\tC1\n')
    expect([...labels.byLine]).toEqual([[2, UNLABELLED]])
    expect(labels.blanked).toBe('#fields\tts\tuid\n1\tC1\n')
  })

  it('a CSV', () => {
    const labels = readRecordLabels('id,Src IP,Label,Attempted Category\n1,10.0.0.1,BENIGN,-1\n2,10.0.0.2,DDoS,-1\n')
    expect([...labels.byLine]).toEqual([
      [2, BENIGN],
      [3, 'DDoS'],
    ])
    expect(labels.blanked).toBe('id,Src IP,Label,Attempted Category\n1,10.0.0.1,-,-1\n2,10.0.0.2,-,-1\n')
  })
})
