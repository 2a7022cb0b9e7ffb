import { openControl } from '../control.ts'
import { lines } from '../endpoint/protocol.ts'
import type { Answer, Answers, Ask, Request } from './protocol.ts'

/** Answers the gateway. `answer` is called in the order in which its lines came, and what takes its time holds up nothing behind it. */
export const startControl = async (path: string, answer: (ask: Ask) => Promise<Answers[keyof Answers]>) => {
  const running = new Set<Promise<unknown>>()
  const control = await openControl(path, (socket) => {
    const reply = (said: Answer) => void (socket.writable && socket.write(`${JSON.stringify(said)}\n`))
    const take = (line: string) => {
      const { n, ...ask }: Request = JSON.parse(line)
      const done = answer(ask)
        .then(
          (answered) => reply({ n, done: answered }),
          (error: unknown) => reply({ n, failed: error instanceof Error ? error.message : String(error) }),
        )
        .finally(() => running.delete(done))
      // A drain may be long, and the end does not wait for it.
      if (ask.do !== 'remove') running.add(done)
    }
    socket.on(
      'data',
      lines(take, () => socket.destroy()),
    )
  })
  return { close: () => control.close(Promise.all(running)) }
}
