import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import { tempRoot } from '../kit/index.ts'
import { faultOn } from './fault.ts'

for (const [fault, words] of [
  ['full', 'no space left in'],
  ['read-only', 'read-only file system at'],
] as const)
  faultOn(
    9,
    `where the disk of its routes is ${fault} the old ones are served on, over a kill of Traefik too, new ones are refused with STORAGE, and it goes on by itself`,
    { traefik: 'traefik' },
    async () => {
      const root = tempRoot('disk')
      onTestFinished(root.remove)
      const script = fileURLToPath(new URL('./traefik-disk.ts', import.meta.url))
      // Mounts of our own in a namespace of our own: gone with the process.
      const mount = 'mount -t tmpfs -o size=256k,mode=700 none'
      const inside = `mkdir "$0/proxy" "$0/run" && ${mount} "$0/proxy" && ${mount} "$0/run" && exec "$1" --conditions=source "$2" "$0" "$3"`
      const args = ['--map-root-user', '--mount', 'sh', '-c', inside, root.path, process.execPath, script, fault]
      const { stdout } = await promisify(execFile)('unshare', args, { maxBuffer: 64 << 20, timeout: 240_000 })
      expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({
        before: 'ok',
        servedBefore: 'hello',
        during: expect.stringContaining(`STORAGE: ${words} ${root.path}/proxy`),
        seenDuring: {
          status: expect.stringMatching(new RegExp(`engine/traefik degraded Traefik: .*${words}`)),
          exitCode: 0,
          readyz: 200,
        },
        kept: true,
        servedDuring: 'hello',
        servedAfterKill: 'hello',
        after: 'ok',
        servedAfter: ['hello', 'hello'],
        seenAfter: { status: expect.stringContaining('engine/traefik ok'), exitCode: 0, readyz: 200 },
      })
    },
  )
