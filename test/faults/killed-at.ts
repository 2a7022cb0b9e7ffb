import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Runs a program of Node again and again, ended by SIGKILL right before its first call that changes a file below `folder`, then before
 * its second, and so on until one ran to its end; `look` after each. Returns how many were killed. Needs a C compiler.
 */
export const killedAtEach = (scratch: string, folder: string, program: string, look: (calls: number) => Promise<void>) =>
  sweep(build(scratch), folder, program, look)

const build = (scratch: string): string => {
  const library = join(scratch, 'killed-at.so')
  const source = fileURLToPath(new URL('killed-at.c', import.meta.url))
  const made = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`cc: ${made.error?.message ?? made.stderr}; apt-get install gcc libc6-dev`)
  return library
}

const sweep = async (library: string, folder: string, program: string, look: (calls: number) => Promise<void>) => {
  for (let calls = 1; calls < 500; calls++) {
    const env = { ...process.env, LD_PRELOAD: library, KILLED_AT: String(calls), KILLED_BELOW: folder }
    const ran = spawnSync(process.execPath, ['--conditions=source', '--input-type=module', '--eval', program], {
      env,
      encoding: 'utf8',
    })
    if (ran.signal !== 'SIGKILL' && ran.status !== 0) throw new Error(ran.stderr)
    await look(calls)
    if (ran.signal === null) return calls - 1
  }
  throw new Error('the program changes files more than five hundred times')
}
