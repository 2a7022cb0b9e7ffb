import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A clone has a Node of its own once it is set up: starts over with that one. False where there is none. */
export function runWithOwnNode() {
  const node = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url))
  if (!existsSync(node)) return false
  const child = spawn(node, [fileURLToPath(new URL('gateway.js', import.meta.url)), ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code) => process.exit(code ?? 70))
  return true
}
