/** The process of a sensor with bugs: a flow to port 666 cannot be judged. */
import { Analyst } from '../../../src/score/analyst.ts'

const onFlow = Analyst.prototype.onFlow
Analyst.prototype.onFlow = function (flow) {
  if (flow.port[1] === 666) throw new TypeError('a flow that nobody had thought of')
  onFlow.call(this, flow)
}
await import('../../../src/main.ts')
