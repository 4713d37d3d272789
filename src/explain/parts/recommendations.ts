/** Recommendations: the deciding check first, then what to do now, what to watch with, what to change. */
import type { Facts, Urgency } from '../facts.ts'
import type { KindWords } from '../kinds/kind.ts'
import { blocks, bullets, codeBlock } from '../markdown.ts'

const LEADS: Readonly<Record<Urgency, string>> = {
  act: '**Now** (grave and likely: contain first, then look)',
  check: '**Now** (look before you touch anything)',
  watch: '**Now** (not likely or not grave enough to act on)',
}

export function recommendations(facts: Facts, words: KindWords): string {
  const rule = words.rule(facts)
  const longerTerm = words.longerTerm(facts)
  return blocks([
    `**First**: ${words.decidingCheck(facts)}`,
    LEADS[facts.urgency],
    bullets(words.actions(facts)),
    ...(rule.suricata === ''
      ? ['**To see it again**: no rule, since the record names no host to write one for.']
      : [
          rule.suricata === null
            ? "**To see it again**: a capture filter (tcpdump), a line for Zeek; Suricata's rules cannot match this"
            : "**To see it again**: a Suricata rule, a capture filter (tcpdump), a query of Zeek's log",
          rule.suricata === null ? '' : codeBlock('', [rule.suricata]),
          rule.bpf === '' ? '' : codeBlock('', [rule.bpf]),
          codeBlock('sh', [rule.zeek]),
        ]),
    longerTerm.length === 0 ? '' : blocks(['**Later**', bullets(longerTerm)]),
  ])
}
