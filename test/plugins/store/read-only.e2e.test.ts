import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { tempRoot } from '../../kit/index.ts'

it('refuses a root on a read-only file system, and says what to do', async () => {
  const root = tempRoot('read-only')
  onTestFinished(root.remove)
  const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const program = `
    import { level } from ${at('../../../plugins/store/level/index.ts')}
    import { openStore } from ${at('../../kit/store/open.ts')}
    const error = await openStore(level(), process.argv[1]).catch((error) => error)
    console.log(error.text)`
  const inside = 'mount -t tmpfs -o ro none "$0" && exec "$1" --conditions=source --input-type=module --eval "$2" "$0"'
  const args = ['--map-root-user', '--mount', 'sh', '-c', inside, root.path, process.execPath, program]
  const { stdout } = await promisify(execFile)('unshare', args)
  expect(stdout.trim()).toBe(
    `ROOT_UNUSABLE: ${root.path} is on a read-only file system (mount it writable, or name another --root)`,
  )
})
