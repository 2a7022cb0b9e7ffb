import { execFileSync } from 'node:child_process'
import { readlinkSync, statSync } from 'node:fs'
import type { Supervised, Supervisor } from '../../../../core/index.ts'
import { processes } from '../../../../plugins/service/processes/index.ts'
import { setUpAlone } from '../../../kit/alone.ts'
import { sleeper } from './parts.ts'

/** Runs where network namespaces are its own: has a service in one that comes late and is made anew, and says what it saw. */
const [root = ''] = process.argv.slice(2)
const alone = await setUpAlone(processes({ backoff: { first: 0.2, most: 30 } }), root)
const ends: string[] = []
const ip = (...words: string[]) => execFileSync('ip', ['netns', ...words])
const until = async (there: () => boolean) => {
  const late = performance.now() + 60_000
  while (!there() && performance.now() < late) await new Promise((over) => setTimeout(over, 20))
}
const supervisor = alone.api.supervisor as Supervisor
const one: Supervised = await supervisor.run(sleeper('tenant', { netns: 'tenant', onExit: (why) => void ends.push(why) }))
const inside = () => {
  const { pid } = one.status()
  try {
    return readlinkSync(`/proc/${pid}/ns/net`) === `net:[${statSync('/run/netns/tenant').ino}]`
  } catch {
    return false
  }
}

await until(() => one.status().state === 'backoff')
const without = one.status()
ip('add', 'tenant')
await until(inside)
const first = { inside: inside(), pid: one.status().pid }
ip('delete', 'tenant')
ip('add', 'tenant')
await until(() => one.status().pid !== first.pid && inside())
const second = { inside: inside(), pid: one.status().pid }
await one.stop()
await alone.close()
console.log(JSON.stringify({ without, first, second, ends }))
process.exit(0)
