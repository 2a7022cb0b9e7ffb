import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { GatewayError, isErrorCode } from '../core/errors.ts'
import { print, printJson } from './output.ts'
import { parentSocket } from './parent-words.ts'
import { defaultRoot } from './place.ts'
import { verb } from './verb.ts'

export default verb({
  about:
    'For a gateway that was started with --upgradable. The next one starts from what is on the disk now, on the same sockets, and takes\n' +
    'over when it is ready; the one before finishes what it serves. Where the next one does not start, the one before serves on.',
  args: {
    root: { type: 'string', valueHint: 'folder', description: 'Root of the gateway (or GATEWAY_ROOT)' },
    json: { type: 'boolean', description: 'Answer in JSON' },
  },
  examples: ['gateway upgrade', 'gateway upgrade --root /var/lib/gateway'],
  run: async ({ root, json }) => {
    const path = join(root ?? (process.env.GATEWAY_ROOT || defaultRoot()), parentSocket)
    const said = await ask(path)
    if (said === '') throw new GatewayError('PROCESS_FAILED', 'the gateway ended before it answered', 'see why in its log')
    const answer: Record<string, unknown> = JSON.parse(said)
    if (typeof answer.pid !== 'number') {
      const code = String(answer.code)
      throw new GatewayError(isErrorCode(code) ? code : 'INTERNAL', String(answer.message), String(answer.fix))
    }
    if (json) return printJson(answer)
    print(`gateway ${answer.pid} serves; the one before drains`)
  },
})

const ask = async (path: string): Promise<string> => {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
  } catch (cause) {
    throw new GatewayError(
      'NOT_RUNNING',
      `no gateway that can be upgraded answers at ${path}`,
      'start one with `gateway --upgradable`',
      {
        cause,
      },
    )
  }
  socket.write('upgrade\n')
  return Buffer.concat(await socket.toArray()).toString()
}
