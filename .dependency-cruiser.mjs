export default {
  forbidden: [
    {
      name: 'no-plugin-imports-a-plugin',
      severity: 'error',
      comment: 'plugins work together through capabilities',
      from: { path: '^plugins/([^/]+)/([^/.]+)' },
      to: { path: '^plugins/', pathNot: '^plugins/$1/$2([/.]|$)' },
    },
    {
      name: 'core-has-no-feature',
      severity: 'error',
      from: { path: '^core/' },
      to: { path: '^(plugins|presets|cli|test|bench)/' },
    },
    {
      name: 'lib-stands-alone',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(core|plugins|presets|cli|test|bench)/' },
    },
    {
      name: 'plugins-use-the-index-of-the-core',
      severity: 'error',
      from: { path: '^plugins/[^/]+/' },
      to: { path: '^core/', pathNot: '^core/index\\.ts$' },
    },
    {
      name: 'plugins-import-no-application',
      severity: 'error',
      from: { path: '^plugins/' },
      to: { path: '^(presets|cli|test|bench)/' },
    },
    {
      name: 'no-circle',
      severity: 'error',
      from: { pathNot: '^core/(plugin|event|operation)\\.ts$' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-missing', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'types', 'default'],
      extensions: ['.ts', '.js', '.mjs'],
    },
  },
}
