// Makes dist/ for the tarball: Node strips types only outside node_modules.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './setup/run.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')

rmSync(dist, { recursive: true, force: true })
await run(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], { cwd: root })

// The compiler overlooks some dynamic imports when it turns .ts into .js.
const forgotten = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.js') && /(?:from |import\()['"]\.[^'"]*\.ts['"]/.test(readFileSync(join(dist, name), 'utf8')),
)
if (forgotten.length > 0) throw new Error(`the build still imports TypeScript: ${forgotten.join(', ')}`)
