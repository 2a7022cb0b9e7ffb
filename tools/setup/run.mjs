import { spawn } from 'node:child_process'

/** Runs a command to its end with its output shown; rejects, naming it, where it fails. A line of dots says that it is alive. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 2, 2], ...options })
    const alive = setInterval(() => process.stderr.write(process.stderr.isTTY ? '.' : ''), 2_000)
    child.on('error', (error) => end(new Error(`${command}: ${error.message}`)))
    child.on('close', (code, signal) =>
      end(code === 0 ? undefined : new Error(`\`${[command, ...args].join(' ')}\` ended with ${signal ?? code}`)),
    )
    function end(error) {
      clearInterval(alive)
      error ? reject(error) : resolve()
    }
  })
}
