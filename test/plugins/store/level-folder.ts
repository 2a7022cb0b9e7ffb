import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { onTestFinished } from 'vitest'
import { level } from '../../../plugins/store/level/index.ts'
import { tempRoot } from '../../kit/index.ts'
import { openStore } from '../../kit/store/open.ts'

/** An empty folder that is gone when the test ends. */
export const folder = (): string => {
  const root = tempRoot('level')
  onTestFinished(root.remove)
  return root.path
}
export const open = (root: string) => openStore(level(), root)
/** The database itself, while no store has it. */
export const edit = async (root: string, change: (db: ClassicLevel<string, string>) => Promise<void>): Promise<void> => {
  const db = new ClassicLevel<string, string>(join(root, 'state'))
  await db.open()
  await change(db)
  await db.close()
}
