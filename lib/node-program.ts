import { fileURLToPath } from 'node:url'

/** What Node is given to run a program of the gateway's: `name` beside the module at `url`, in the sources or in the built package. */
export const nodeProgram = (url: string, name: string): readonly string[] => [
  // Blocks SIGUSR1, on which Node would open its debugger, for every user of the machine.
  '--disable-sigusr1',
  fileURLToPath(new URL(`./${name}${url.endsWith('.ts') ? '.ts' : '.js'}`, url)),
]
