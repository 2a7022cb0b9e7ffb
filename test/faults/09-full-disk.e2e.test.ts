import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import { tempRoot } from '../kit/index.ts'
import { fault, faultOn } from './fault.ts'

interface Told {
  readonly outcomes: readonly { readonly id: string; readonly answer: string }[]
  readonly afterwards: readonly string[]
  readonly reopened: readonly string[]
}

fault(
  9,
  'a store on a full disk refuses with STORAGE, keeps all that was answered and nothing else, and goes on when there is room',
  async () => {
    const root = tempRoot('full')
    onTestFinished(root.remove)
    const script = fileURLToPath(new URL('./full-disk.ts', import.meta.url))
    // A mount of our own in a namespace of our own: gone with the process.
    const inside = 'mount -t tmpfs -o size=8m,mode=700 none "$0" && exec "$1" --conditions=source "$2" "$0"'
    const args = ['--map-root-user', '--mount', 'sh', '-c', inside, root.path, process.execPath, script]
    const { stdout } = await promisify(execFile)('unshare', args, { maxBuffer: 64 << 20 })
    const told: Told = JSON.parse(stdout)

    const answers = new Set(told.outcomes.map(({ answer }) => answer))
    expect(answers).toEqual(new Set(['ok', `STORAGE: no space left in ${root.path}/state`]))
    const answered = told.outcomes.filter(({ answer }) => answer === 'ok').map(({ id }) => id)
    expect(told.outcomes.slice(-2).map(({ answer }) => answer === 'ok')).toEqual([false, true])
    expect(told.afterwards.toSorted()).toEqual(answered.toSorted())
    expect(told.reopened.toSorted()).toEqual(answered.toSorted())
  },
)

const each = { embedded: 'embedded', traefik: 'traefik' } as const

faultOn(
  9,
  'a gateway whose disk is full refuses Sets, Deletes and certificates alike, keeps its keys and old routes, and goes on once there is room',
  each,
  async (engine) => {
    const root = tempRoot('full')
    onTestFinished(root.remove)
    const script = fileURLToPath(new URL('./disk-gateway.ts', import.meta.url))
    const inside = 'mount -t tmpfs -o size=16m,mode=700 none "$0" && exec "$1" --conditions=source "$2" "$0" "$3"'
    const args = ['--map-root-user', '--mount', 'sh', '-c', inside, root.path, process.execPath, script, engine]
    const { stdout } = await promisify(execFile)('unshare', args, { maxBuffer: 64 << 20, timeout: 240_000 })
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
      before: ['ok', 'ok'],
      during: expect.stringMatching(/^STORAGE: no space left/),
      agree: true,
      after: ['ok', 'hello', 'ok', 'none'],
      sameKey: true,
      old: { broke: '', served: true },
      kept: true,
      served: ['hello', 'hello'],
    })
  },
)
