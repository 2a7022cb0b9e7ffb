import { constants, type Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { stripVTControlCharacters } from 'node:util'
import { shown } from '../../../lib/shown.ts'

/** Opened for a child to write to; it appends, so that a shortened file goes on at its new end. */
export const openLog = (path: string): Promise<FileHandle> =>
  open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW, 0o600)

/** Where the file ends now; 0 where there is none. */
export const endOf = (path: string): Promise<number> => reading(path, async (_, { size }) => size).then((size) => size ?? 0)

/** The last line with something in it that was written behind `from`, fit for a message. */
export const lastLine = async (path: string, from: number): Promise<string> => {
  const text = await reading(path, async (file, { size }) => tail(file, size, Math.min(4_096, size < from ? size : size - from)))
  const line = stripVTControlCharacters(text ?? '')
    .split('\n')
    .findLast((each) => each.trim() !== '')
  return showLong(line?.trim() ?? '')
}

/** The cause of an error stands at the end of its line, behind what failed for it. */
const showLong = (line: string): string => {
  const whole = line.length > most ? `${line.slice(0, most / 4)} ... ${line.slice((-most * 3) / 4)}` : line
  return (whole.match(/.{1,100}/gu) ?? []).map(shown).join('')
}
const most = 800

/** Drops the oldest three quarters of a file over `limit` bytes. What is written in the same moment may be lost with them. */
export const shorten = async (path: string, limit: number): Promise<void> => {
  await reading(path, async (file, { size }) => {
    if (size <= limit) return
    const text = await tail(file, size, Math.floor(limit / 4))
    const log = await openLog(path)
    try {
      await log.truncate(0)
      await log.write(text.slice(text.indexOf('\n') + 1))
    } finally {
      await log.close()
    }
  })
}

const tail = async (file: FileHandle, size: number, length: number): Promise<string> => {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length)
  return buffer.subarray(0, bytesRead).toString('utf8')
}

const reading = async <T>(path: string, use: (file: FileHandle, stats: Stats) => Promise<T>): Promise<T | undefined> => {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined)
  try {
    return file && (await use(file, await file.stat()))
  } catch {
    return undefined
  } finally {
    await file?.close()
  }
}
