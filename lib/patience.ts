/** Milliseconds between two looks at the clock, and how many between them mean that this process stood still. */
const [beat, still] = [500, 1_500]
/** Milliseconds, the most that a timer takes: for those of Node's that count the time in which this process stood still. */
export const never = 2 ** 31 - 1

let looked = 0
let lost = 0
let beating: NodeJS.Timeout | undefined

/** Monotonic milliseconds, without those in which this process stood still (stopped, starved, or busy all along): it could hear nobody. */
export const timeAwake = (): number => {
  const now = performance.now()
  if (!beating) beating = setInterval(timeAwake, beat).unref()
  else if (now - looked > still) lost += now - looked - beat
  looked = now
  return now - lost
}

/**
 * Calls `late` after `time` ms awake unless it is called off, which what it returns does; after twice as long by the clock at the latest.
 * What has come by then is read first: timers run before a turn of the event loop reads, immediates behind that.
 */
export const patience = (time: number, late: () => void): (() => void) => {
  const began = timeAwake()
  let last: NodeJS.Immediate | undefined
  let again = false
  const over = () => {
    const left = time - (timeAwake() - began)
    if (left > 1 && !again) timer = setTimeout(over, left)
    else last = setImmediate(late)
    again = true
  }
  let timer = setTimeout(over, time)
  return () => {
    clearTimeout(timer)
    clearImmediate(last)
  }
}
