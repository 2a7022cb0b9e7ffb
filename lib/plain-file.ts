import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants

/**
 * The text of a file that others may have made: rejects where it is a link, pipe, device, socket or folder, or has more than `most` bytes.
 * Never waits for a writer, and reads no more than that whatever grows meanwhile.
 */
export const readPlainFile = async (path: string, most: number): Promise<string> => {
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY).catch((error) => {
    throw codeOf(error) === 'ELOOP' ? new Error('it is a symbolic link') : codeOf(error) === 'ENXIO' ? noFile() : error
  })
  try {
    const found = await file.stat()
    if (!found.isFile()) throw noFile()
    if (found.size > most) throw new Error(`it has more than ${most} bytes`)
    const content = Buffer.alloc(found.size)
    let length = 0
    for (let got = -1; got !== 0 && length < content.length; length += got)
      got = (await file.read(content, length, content.length - length, length)).bytesRead
    return content.toString('utf8', 0, length)
  } finally {
    await file.close()
  }
}

const noFile = () => new Error('it is no plain file')
const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)
