import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const tree = fileURLToPath(new URL('../..', import.meta.url))
const pages = ['README.md', ...readdirSync(join(tree, 'docs')).map((name) => `docs/${name}`)].filter((page) =>
  page.endsWith('.md'),
)

test('links between the README and the docs lead somewhere', () => {
  const broken = pages.flatMap((page) =>
    [...readFileSync(join(tree, page), 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .map(([, link = '']) => join(tree, page, '..', link))
      .filter((path) => !readable(path))
      .map((path) => `${page}: ${path}`),
  )
  expect(broken).toEqual([])
})

const readable = (path: string): boolean => {
  try {
    readFileSync(path)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EISDIR'
  }
}
