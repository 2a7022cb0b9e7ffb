// `node tools/check.mjs SCRIPT ...`: npm scripts side by side. Shows what those say that fail, and ends with 1 where one did.
import { spawn } from 'node:child_process'

const began = performance.now()
const good = await Promise.all(process.argv.slice(2).map(run))
process.exitCode = good.every(Boolean) ? 0 : 1

/** Shows what a script says once it is over, so that none talks into another. */
async function run(name) {
  const child = spawn('npm', ['run', '--silent', name], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = []
  child.stdout.on('data', (chunk) => said.push(chunk))
  child.stderr.on('data', (chunk) => said.push(chunk))
  const code = await new Promise((done) => child.once('error', done).once('close', done))
  if (code !== 0) process.stdout.write(Buffer.concat(said))
  console.log(`${name}: ${code === 0 ? 'good' : `failed with ${code}`} (${((performance.now() - began) / 1_000).toFixed(0)} s)`)
  return code === 0
}
