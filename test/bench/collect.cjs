/**
 * Loaded into a sensor before its program (soak.mjs --collect): collects garbage whenever statistics are asked for, so that what is
 * measured then is what is kept, and not what the collector has not yet got round to.
 */
const { setFlagsFromString } = require('node:v8')
const { runInNewContext } = require('node:vm')
const { isMainThread } = require('node:worker_threads')

if (isMainThread) {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  process.on('SIGUSR1', () => collect())
}
