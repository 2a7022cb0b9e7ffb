import { createHash, randomBytes } from 'node:crypto'
import { print, printJson } from './output.ts'
import { verb } from './verb.ts'

export default verb({
  about: 'The token is for the caller, its hash for the config: whoever reads the config cannot call with it.',
  args: {
    scope: {
      type: 'enum',
      options: ['read', 'write'],
      default: 'write',
      valueHint: 'read|write',
      description: 'What it may do (default: write)',
    },
    json: { type: 'boolean', description: 'Answer in JSON' },
  },
  examples: ['gateway token', 'gateway token --scope read'],
  run: ({ scope, json }) => {
    const token = `gwt_${randomBytes(32).toString('base64url')}`
    const hash = `sha256:${createHash('sha256').update(token).digest('hex')}`
    if (json) return printJson({ token, hash, scope })
    print(
      `token:  ${token}`,
      '        keep it secret; it is shown only now. Send it as: Authorization: Bearer <token>',
      `config: httpApi({ tokens: [{ hash: '${hash}', scope: '${scope}' }] })`,
    )
  },
})
