/** The process of a sensor with bugs: what has to do with port 666, and ARP of 198.51.100.66, cannot be judged. */
import { Analyst } from '../../../src/score/analyst.ts'

const { onFlow, onLink } = Analyst.prototype
Analyst.prototype.onFlow = function (flow) {
  if (flow.port[1] === 666) throw new TypeError('a flow that nobody had thought of')
  onFlow.call(this, flow)
}
Analyst.prototype.onLink = function (sighting) {
  if (sighting.kind === 'arp' && sighting.senderAddress === '198.51.100.66') throw new TypeError('a message that nobody had thought of')
  onLink.call(this, sighting)
}
await import('../../../src/main.ts')
