/** Lines about faults in a minute; the rest is counted. */
const mostLines = 20

/**
 * From here on an error that nobody caught is logged, and the process serves on: it may end the flow that it came from, never those of
 * others. For processes that only pass on what peers send, and have no state that half a step could spoil. A start that fails still fails.
 */
export const serveOn = (report: (line: string) => void = console.error): void => {
  let minute = 0
  let lines = 0
  process.on('uncaughtException', (error: unknown) => {
    const now = Math.floor(performance.now() / 60_000)
    if (now !== minute) {
      if (lines > mostLines) report(`${lines - mostLines} more errors that nobody caught`)
      minute = now
      lines = 0
    }
    lines++
    if (lines <= mostLines) report(`nobody caught: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  })
}
