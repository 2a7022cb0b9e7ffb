import { afterEach } from 'vitest'
import { zinit } from '../../../../plugins/service/zinit/index.ts'
import { describeSupervisor } from '../../../kit/index.ts'
import { startZinit, type ZinitServer } from './start.ts'

const servers = new Map<string, ZinitServer>()
afterEach(async () => {
  await Promise.all([...servers.values()].map((server) => server.close()))
  servers.clear()
})

describeSupervisor('service/zinit', {
  supervisor: (root) => {
    const server = servers.get(root) ?? startZinit(root)
    servers.set(root, server)
    const plugin = zinit({ socket: server.socket, folder: server.folder })
    return {
      ...plugin,
      setup: async (core) => {
        await server.ready
        return plugin.setup(core)
      },
    }
  },
})
