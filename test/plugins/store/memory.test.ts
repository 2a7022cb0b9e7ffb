import { memory } from '../../../plugins/store/memory/index.ts'
import { describeStore } from '../../kit/index.ts'

describeStore('memory', { open: () => memory() })
