import { defineConfig } from 'vitest/config'
import './test/go-on-path.ts'

// `unit` needs nothing but Node, and its files share two processes; `e2e` runs real parts: Redis, Go, curl, a browser, npm, other
// processes. `whole` is the long form of what `e2e` has in short.
const shared = {
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'], externalConditions: ['source'] } },
}
export default defineConfig({
  test: {
    // No secret may stand in what any gateway of the run writes.
    globalSetup: ['test/secrets.ts'],
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts', 'templates/**/*.test.ts'],
          exclude: ['test/**/*.e2e.test.ts', 'test/**/*.whole.test.ts', 'node_modules'],
          testTimeout: 30_000,
          // Most of the time went into loading the same modules anew for every file.
          isolate: false,
        },
      },
      { ...shared, test: { name: 'e2e', include: ['test/**/*.e2e.test.ts'], testTimeout: 300_000, hookTimeout: 300_000 } },
      { ...shared, test: { name: 'whole', include: ['test/**/*.whole.test.ts'], testTimeout: 300_000, hookTimeout: 300_000 } },
    ],
    maxWorkers: 2,
  },
})
