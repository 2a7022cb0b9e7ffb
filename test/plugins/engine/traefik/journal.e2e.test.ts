import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { tempRoot } from '../../../kit/index.ts'

test('09: a journal says durable of nothing that a full disk took only a part of, and goes on with what fits', async () => {
  const root = tempRoot('journal')
  onTestFinished(root.remove)
  const script = fileURLToPath(new URL('./journal-disk.ts', import.meta.url))
  // A mount of our own in a namespace of our own: gone with the process.
  const inside = 'mount -t tmpfs -o size=256k,mode=700 none "$0" && exec "$1" --conditions=source "$2" "$0"'
  const args = ['--map-root-user', '--mount', 'sh', '-c', inside, root.path, process.execPath, script]
  const { stdout } = await promisify(execFile)('unshare', args, { timeout: 60_000 })
  expect(JSON.parse(stdout)).toEqual({ told: ['durable', 'ENOSPC', 'durable'], keys: ['before', 'small'] })
})
