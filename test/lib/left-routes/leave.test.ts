import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { leftFiles } from '../../../lib/left-routes/leave.ts'
import { tempRoot } from '../../kit/index.ts'

it('leaves a workload of a private network the bridge that runs on, and names the one whose bridge ends or is not known', async () => {
  const root = tempRoot('leave')
  onTestFinished(() => root.remove())
  const route = (name: string) => ({
    id: `26-4711-${name}`,
    host: `${name}.gent01.grid.tf`,
    backends: ['http://127.0.0.1:20001'],
    passthrough: false,
  })
  const { files } = await leftFiles([route('stays'), route('ends')], root.path)
  for (const [name, text] of files) writeFileSync(join(root.path, name), text)

  const routes = ['stays', 'ends', 'none'].map((name) => ({ ...route(name), backends: ['http://10.20.2.5:80'], network: 'net' }))
  const left = await leftFiles(routes, root.path, (id) => id === '26-4711-ends')
  expect([...left.files]).toEqual([['26-4711-stays.yaml', files.get('26-4711-stays.yaml')]])
  expect(left.unwritten.map(({ id, why }) => [id, why])).toEqual([
    ['26-4711-ends', "its bridge into the private network 'net' ends"],
    ['26-4711-none', "no bridge into the private network 'net' is known"],
  ])
})
