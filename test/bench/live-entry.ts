/** What the live benchmark uses of the live tests. */
export { countsOf, cpuSecondsOf, Lab, lackOfLab, sleep } from '../live/lab.ts'
