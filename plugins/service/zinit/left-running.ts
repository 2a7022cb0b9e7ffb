import { GatewayError, type LeftRunning } from '../../../core/index.ts'
import { leftChildren } from '../../../lib/supervision/child-records.ts'
import { Unreachable, type Zinit } from './client.ts'
import type { UnitFiles } from './unit-file.ts'
import { takeOut } from './units.ts'

/** Seconds between SIGTERM and SIGKILL. */
const stopSeconds = 10

/** The units of this root, and what `processes()` left running of it before zinit() took its place. Rejects where zinit does not answer. */
export const leftUnits = async (o: { zinit: Zinit; files: UnitFiles; root: string }): Promise<readonly LeftRunning[]> => {
  const { zinit, files, root } = o
  const ours = await files.ours()
  const units = ours.map(async ({ name }): Promise<LeftRunning> => {
    const end = () => takeOut(o, name, stopSeconds).catch(away(files, ours))
    return { name, pid: (await zinit.status(name).catch(away(files, ours)))?.pid ?? 0, end }
  })
  return [...(await Promise.all(units)), ...(await leftChildren(root))]
}

const away =
  ({ folder }: UnitFiles, ours: readonly { readonly name: string }[]) =>
  (error: unknown): never => {
    if (!(error instanceof Unreachable)) throw error
    const names = ours.map(({ name }) => name).join(', ')
    throw new GatewayError(
      'PROCESS_FAILED',
      `the units of this gateway cannot be ended: ${error.message}`,
      `see that zinit runs; where it does not, remove the files of these units from ${folder}: ${names}`,
      { cause: error },
    )
  }
