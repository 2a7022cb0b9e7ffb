import { readFile } from 'node:fs/promises'

/** Where a secret stands; never the secret itself, so a config can be shown around. Read with each use: a changed one is taken at once. */
export type Secret = { readonly file: string } | { readonly env: string }

export const isSecret = (value: unknown): value is Secret => {
  if (typeof value !== 'object' || value === null) return false
  const text = 'file' in value ? value.file : 'env' in value ? value.env : undefined
  return typeof text === 'string' && text !== '' && Object.keys(value).length === 1
}

/** The secret without the line end that editors put behind it. Rejects with a sentence that names the place only. */
export const readSecret = async (secret: Secret): Promise<string> => {
  if ('env' in secret) {
    const value = process.env[secret.env]
    if (!value) throw new Error(`the environment variable ${secret.env} is not set`)
    return value.trim()
  }
  const text = await readFile(secret.file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`the file ${secret.file} cannot be read (${error.code})`)
  })
  if (text.trim() === '') throw new Error(`the file ${secret.file} is empty`)
  return text.trim()
}
