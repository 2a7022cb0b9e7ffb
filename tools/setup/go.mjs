import { spawnSync } from 'node:child_process'
import { find } from './find.mjs'

const oldest = [1, 25]

/** The path of a Go that is new enough; throws with what to do where there is none. */
export function goPath(use) {
  const go = find('go') ?? find('go', ['/usr/local/go/bin'])
  const advice = 'install it from https://go.dev/dl/ (the package of Debian 12 is too old) and put its bin folder into PATH'
  if (!go) throw new Error(`\`npm run ${use}\` needs Go ${oldest.join('.')} or newer: ${advice}`)
  const told = spawnSync(go, ['env', 'GOVERSION'], {
    encoding: 'utf8',
    env: { ...process.env, GOTOOLCHAIN: 'local' },
  }).stdout.trim()
  const [major = 0, minor = 0] = told
    .replace(/^go/, '')
    .split('.')
    .map((part) => Number.parseInt(part, 10))
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    throw new Error(`\`npm run ${use}\` needs Go ${oldest.join('.')} or newer, and ${go} is ${told || 'unreadable'}: ${advice}`)
  }
  return go
}

/** For programs that are to run anywhere on this platform: static, for this machine, whatever the caller's environment says. */
export function goEnv() {
  const { GOFLAGS, GOOS, GOARCH, GOBIN, ...rest } = process.env
  return { ...rest, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off' }
}
