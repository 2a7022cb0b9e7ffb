type Log = (message: string, fields?: object) => void

/** Passes on so many messages a second, and then how many more there were: what strangers cause must not fill the log. */
export const limitedLog = (log: Log, most: number): Log => {
  let second = 0
  let said = 0
  let kept = 0
  return (message, fields) => {
    const now = Math.floor(performance.now() / 1_000)
    if (now !== second) {
      if (kept > 0) log(`${kept} more messages like the last ones were left out`)
      second = now
      said = 0
      kept = 0
    }
    if (said < most) log(message, fields)
    else kept++
    said++
  }
}
