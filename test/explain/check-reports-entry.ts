export { checkReports } from './check-reports.ts'
