import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { level } from '../../../plugins/store/level/index.ts'
import { describeStore } from '../../kit/index.ts'
import { certificate } from '../../kit/store/samples.ts'
import { folder, open } from './level-folder.ts'

const module = new URL('../../../plugins/store/level/index.ts', import.meta.url).href
describeStore('level', { open: () => level(), disk: { module, factory: 'level' } })
describeStore('level without syncs', {
  open: () => level({ durability: 'process' }),
  disk: { module, factory: 'level', options: { durability: 'process' } },
})

it('refuses a durability that does not exist where it stands', () => {
  // @ts-expect-error a config in JavaScript is not held back by types
  expect(() => level({ durability: 'always' })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

describe('its folder', () => {
  it('is open to nobody else, whatever the umask, also after many writes', async () => {
    const root = folder()
    const umask = process.umask(0)
    onTestFinished(() => {
      process.umask(umask)
    })
    const store = await open(root)
    for (let n = 0; n < 6; n++) {
      await store.commit([{ state: 'k', value: Buffer.alloc(2 << 20, n) }, { certificate: certificate(`c${n}`) }])
    }
    const mode = (path: string) => lstatSync(path).mode & 0o777
    expect(mode(join(root, 'state'))).toBe(0o700)
    await store.close()
    for (const name of readdirSync(join(root, 'state'))) expect(mode(join(root, 'state', name)), name).toBe(0o600)
  })

  it('is refused as a symbolic link, as a file, and with a link in it', async () => {
    const [root, other] = [folder(), folder()]
    symlinkSync(other, join(root, 'state'))
    await expect(open(root)).rejects.toMatchObject({ code: 'ROOT_UNUSABLE', message: expect.stringContaining('symbolic link') })
    expect(readdirSync(other)).toEqual([])

    const file = folder()
    writeFileSync(join(file, 'state'), '')
    await expect(open(file)).rejects.toMatchObject({ code: 'ROOT_UNUSABLE', message: expect.stringContaining('not a folder') })

    const planted = folder()
    await (await open(planted)).close()
    writeFileSync(join(other, 'target'), 'theirs')
    symlinkSync(join(other, 'target'), join(planted, 'state', 'PID.new'))
    await expect(open(planted)).rejects.toMatchObject({ code: 'ROOT_UNUSABLE', message: expect.stringContaining('PID.new') })
    expect(readFileSync(join(other, 'target'), 'utf8')).toBe('theirs')
  })

  it('is refused where keys in it were open to others, and taken where it is empty', async () => {
    const root = folder()
    await (await open(root)).close()
    chmodSync(join(root, 'state'), 0o750)
    await expect(open(root)).rejects.toMatchObject({ code: 'ROOT_UNUSABLE', fix: expect.stringContaining('chmod 700') })

    const empty = folder()
    mkdirSync(join(empty, 'state'))
    chmodSync(join(empty, 'state'), 0o777)
    await (await open(empty)).close()
    expect(lstatSync(join(empty, 'state')).mode & 0o777).toBe(0o700)
  })

  it('is refused with what to do where the root is missing or a file', async () => {
    const root = folder()
    writeFileSync(join(root, 'file'), '')
    await expect(open(join(root, 'none'))).rejects.toMatchObject({ code: 'ROOT_UNUSABLE', fix: expect.stringContaining('mkdir') })
    await expect(open(join(root, 'file'))).rejects.toMatchObject({ code: 'ROOT_UNUSABLE' })
    expect(existsSync(join(root, 'none'))).toBe(false)
  })
})
