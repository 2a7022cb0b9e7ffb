import { defineConfig } from 'vitest/config'
import '../go-on-path.ts'

// `npm run moving`: what takes the Traefik 2.9.9 that nodes have, which takes minutes to build.
const conditions = ['source']
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: { include: ['test/moving/*.moving.ts'], testTimeout: 600_000, hookTimeout: 300_000, maxWorkers: 1 },
})
