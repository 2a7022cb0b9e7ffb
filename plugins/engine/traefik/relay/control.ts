import { openControl } from '../control.ts'
import { lines } from '../endpoint/protocol.ts'
import type { Answer, Answers, Ask, Request } from './protocol.ts'

/** Answers the gateway. Sets, and what follows them, are done in the order in which they came. */
export const startControl = async (path: string, answer: (ask: Ask) => Promise<Answers[keyof Answers]>) => {
  let turn: Promise<unknown> = Promise.resolve()
  const control = await openControl(path, (socket) => {
    const reply = (said: Answer) => void (socket.writable && socket.write(`${JSON.stringify(said)}\n`))
    const take = (line: string) => {
      const { n, ...ask }: Request = JSON.parse(line)
      const done = turn.then(() => {
        const doing = answer(ask)
        // A drain takes its time: others go on meanwhile.
        return { doing, wait: ask.do === 'remove' ? undefined : doing.catch(() => undefined) }
      })
      turn = done.then(({ wait }) => wait)
      done
        .then(({ doing }) => doing)
        .then(
          (done) => reply({ n, done }),
          (error: unknown) => reply({ n, failed: error instanceof Error ? error.message : String(error) }),
        )
    }
    socket.on(
      'data',
      lines(take, () => socket.destroy()),
    )
  })
  return { close: () => control.close(turn) }
}
