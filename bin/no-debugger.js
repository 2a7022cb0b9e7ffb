// On SIGUSR1 Node opens its debugger, for every user of the machine, unless the signal has a listener.
process.on('SIGUSR1', () => {})

/** One that came before this line has opened it. */
const close = async () => {
  const { close, url } = await import('node:inspector')
  const isWanted = `${process.execArgv} ${process.env.NODE_OPTIONS}`.includes('--inspect')
  if (url() !== undefined && !isWanted) close()
}
setTimeout(close, 1_000).unref()
