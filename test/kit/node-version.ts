// Imported first: what an older Node lacks would show as a failure of the plugin.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18))
  throw new Error(
    `zos-gateway/test-kit needs Node 22.18 or newer, and this is ${process.versions.node}: add "node": "^24.0.0" to the devDependencies, and npm runs the scripts on that one`,
  )
