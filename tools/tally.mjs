// Prints `N passed, N failed` from a vitest JSON report; fails where anything failed or nothing ran.
import { readFileSync } from 'node:fs'

const [report, ended] = process.argv.slice(2)
const { passed, failed } = count(report)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0

function count(path) {
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(path, 'utf8'))
    // A file that breaks before its first test has no failed test to count, so it counts as one itself.
    const broken = testResults.filter(
      ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
    )
    const failed = numFailedTests + broken.length
    return { passed: numPassedTests, failed: failed === 0 && ended !== '0' ? 1 : failed }
  } catch {
    return { passed: 0, failed: 1 }
  }
}
