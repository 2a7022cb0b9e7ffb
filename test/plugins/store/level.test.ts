import { level } from '../../../plugins/store/level/index.ts'
import { describeStore } from '../../kit/index.ts'

const module = new URL('../../../plugins/store/level/index.ts', import.meta.url).href
describeStore('level', { open: () => level(), disk: { module, factory: 'level' } })
describeStore('level without syncs', {
  open: () => level({ durability: 'process' }),
  disk: { module, factory: 'level', options: { durability: 'process' } },
})
