import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { GatewayError } from '../../../core/index.ts'

/** Has LevelDB put a database right that does not open. In a process of its own: its repair may abort on what it finds. */
export const repairApart = async (path: string): Promise<void> => {
  const program = 'const { ClassicLevel } = await import(process.argv[2]); await ClassicLevel.repair(process.argv[1])'
  const args = ['--disable-sigusr1', '--input-type=module', '--eval', program, path, import.meta.resolve('classic-level')]
  await promisify(execFile)(process.execPath, args, { timeout: 60_000 }).catch((cause: unknown) => {
    throw new GatewayError(
      'STORAGE',
      `${path} is damaged and cannot be repaired`,
      `restore it from a backup, or start empty: mv ${path} ${path}.lost`,
      { cause },
    )
  })
}
