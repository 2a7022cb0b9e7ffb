import type { Certificate } from '../../core/index.ts'
import { type Authority, createAuthority } from '../kit/index.ts'

let authority: Promise<Authority> | undefined
const labels = new Map<string, string>()

/** A certificate as a resolver gives it, signed by a CA of the tests, by default for 90 days from now. `labelOf` finds the label again. */
export const issue = async (
  names: readonly string[],
  label: string,
  life: Partial<Pick<Certificate, 'notBefore' | 'notAfter'>> = {},
): Promise<Certificate> => {
  authority ??= createAuthority('test/core')
  const notBefore = life.notBefore ?? new Date()
  const dates = { notBefore, notAfter: life.notAfter ?? new Date(notBefore.getTime() + 90 * 86_400_000) }
  const { chain, key } = await (await authority).issue(names, 90, dates)
  labels.set(chain, label)
  return { id: '', resolver: '', names, chain, key, ...dates }
}

export const labelOf = ({ chain }: Pick<Certificate, 'chain'>): string | undefined => labels.get(chain)
