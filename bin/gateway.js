#!/usr/bin/env node
// Runs on any Node that knows modules, so that one which is too old hears so instead of failing on a syntax it does not know.
import './no-debugger.js'

const oldest = [22, 18]
const running = process.versions.node.split('.').map(Number)
const isTooOld = running[0] < oldest[0] || (running[0] === oldest[0] && running[1] < oldest[1])

if (isTooOld) {
  import('./old-node.js').then(({ runWithOwnNode }) => {
    if (runWithOwnNode()) return
    console.error(
      `zos-gateway needs Node ${oldest.join('.')} or newer, and this is ${process.versions.node}. ` +
        'Run it as: npx -p node@24 -p zos-gateway gateway',
    )
    process.exitCode = 78
  })
} else {
  import('./start.js')
}
