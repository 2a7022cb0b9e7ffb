import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { tempRoot } from '../../../kit/index.ts'

it.each([
  ['full', 'no space left in'],
  ['read-only', 'read-only file system at'],
])(
  'serves the old routes on while the disk is %s, over a kill of Traefik too, refuses new ones with STORAGE, and goes on by itself',
  async (fault, words) => {
    const root = tempRoot('disk')
    onTestFinished(root.remove)
    const script = fileURLToPath(new URL('./disk.ts', import.meta.url))
    // Mounts of our own in a namespace of our own: gone with the process.
    const mount = 'mount -t tmpfs -o size=256k,mode=700 none'
    const inside = `mkdir "$0/proxy" "$0/run" && ${mount} "$0/proxy" && ${mount} "$0/run" && exec "$1" --conditions=source "$2" "$0" "$3"`
    const args = ['--map-root-user', '--mount', 'sh', '-c', inside, root.path, process.execPath, script, fault]
    const { stdout } = await promisify(execFile)('unshare', args, { maxBuffer: 64 << 20, timeout: 240_000 })
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({
      before: 'ok',
      servedBefore: 'hello',
      during: expect.stringContaining(`STORAGE: ${words} ${root.path}/proxy`),
      kept: true,
      servedDuring: 'hello',
      servedAfterKill: 'hello',
      after: 'ok',
      servedAfter: ['hello', 'hello'],
      state: 'ok',
    })
  },
)
