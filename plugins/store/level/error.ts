import { GatewayError, reason } from '../../../core/index.ts'

/** Whatever LevelDB or the file system threw, as what a caller may see. */
export const storageError = (path: string, error: unknown): GatewayError => {
  if (error instanceof GatewayError) return error
  const cause = causeOf(error)
  const what = reason(cause)
  if (/no space left|quota exceeded|ENOSPC|EDQUOT/i.test(what)) {
    return new GatewayError('STORAGE', `no space left in ${path}`, 'free some space on its file system and try again', { cause })
  }
  return new GatewayError('STORAGE', `${path} cannot be used: ${what}`, 'check the disk and its file system, then try again', {
    cause,
  })
}

export const isLocked = (error: unknown) => codeOf(causeOf(error)) === 'LEVEL_LOCKED'
export const isDamaged = (error: unknown) => {
  const cause = causeOf(error)
  // LevelDB calls a manifest or a table that is not there, and one that ends too early, an IO error.
  const missing = codeOf(cause) === 'LEVEL_IO_ERROR' && /no such file|\.ldb: invalid argument/i.test(reason(cause))
  return codeOf(cause) === 'LEVEL_CORRUPTION' || missing
}
export const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : undefined)

/** Why a database did not open stands in the cause. */
const causeOf = (error: unknown): unknown =>
  codeOf(error) === 'LEVEL_DATABASE_NOT_OPEN' && error instanceof Error && error.cause !== undefined ? error.cause : error
