import { existsSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { withSmallGeneration } from './generation.js'

// A gateway that runs; the verbs are over before it would pay.
if (/^(-|run$)/.test(process.argv[2] ?? '-')) withSmallGeneration()

// In the tree the TypeScript runs as it is, in the package what was built from it.
const inTree = existsSync(new URL('../cli/main.ts', import.meta.url))
const self = new URL('../package.json', import.meta.url).href

// `zos-gateway` in anyone's config is this very package, also in a folder where nothing is installed.
registerHooks({
  resolve(specifier, context, nextResolve) {
    if (specifier !== 'zos-gateway' && !specifier.startsWith('zos-gateway/')) return nextResolve(specifier, context)
    const conditions = inTree ? ['source', ...context.conditions] : context.conditions
    return nextResolve(specifier, { ...context, conditions, parentURL: self })
  },
})

await import(inTree ? '../cli/main.ts' : '../dist/cli/main.js')
