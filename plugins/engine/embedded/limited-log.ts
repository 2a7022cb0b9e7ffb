type Log = (message: string, fields?: object) => void
/** `source`: whom the message is about, such as a client's address. Nothing that a stranger makes up at no cost. */
export type LimitedLog = (message: string, fields?: object, source?: string) => void

/** Sources in a second whose first message is passed on although there were `total`. */
const mostSources = 100

/**
 * Passes on `each` messages a second of one source and `total` of all, and then how many more there were: what strangers cause must not
 * fill the log. The first message of a source is passed on beyond the total, so that a flood from one hides nobody else.
 */
export const limitedLog = (log: Log, each: number, total = each): LimitedLog => {
  const counts = new Map<string, number>()
  let second = 0
  let passed = 0
  let omitted = 0
  return (message, fields, source = '') => {
    const now = Math.floor(performance.now() / 1_000)
    if (now !== second) {
      if (omitted > 0) log(`${omitted} more messages like the last ones were left out`)
      second = now
      passed = 0
      omitted = 0
      counts.clear()
    }
    const before = counts.get(source)
    const known = before !== undefined || counts.size < mostSources
    if (known) counts.set(source, (before ?? 0) + 1)
    const isFirst = before === undefined && known
    if ((before ?? 0) < each && (passed < total || isFirst)) {
      log(message, fields)
      passed++
    } else omitted++
  }
}
