import { expect, test } from 'vitest'
import { type Place, Row } from '../../lib/row.ts'

interface Thing {
  readonly name: string
  readonly place: Place<Thing>
}
const things = (names: string): Thing[] => [...names].map((name) => ({ name, place: {} }))
const names = (row: Row<Thing>) => [...row].map(({ name }) => name).join('')

test('a row is in the order in which things came, of which each stands in one at most', () => {
  const [row, other] = [new Row<Thing>(), new Row<Thing>()]
  const [a, b, c] = things('abc') as [Thing, Thing, Thing]
  for (const thing of [a, b, c]) row.add(thing)
  expect([names(row), row.first]).toEqual(['abc', a])
  row.add(b)
  expect(names(row)).toBe('acb')
  row.add(b)
  expect(names(row)).toBe('acb')
  other.add(a)
  expect([names(row), names(other), row.first]).toEqual(['cb', 'a', c])
  row.delete(a)
  expect(names(other)).toBe('a')
  row.delete(b)
  row.delete(b)
  row.delete(c)
  expect([names(row), row.first]).toEqual(['', undefined])
  row.add(c)
  expect(names(row)).toBe('c')
})

test('a thing may leave a row while it is gone through', () => {
  const row = new Row<Thing>()
  for (const thing of things('abcde')) row.add(thing)
  let seen = ''
  for (const thing of row) {
    seen += thing.name
    if (thing.name !== 'c') row.delete(thing)
  }
  expect([seen, names(row)]).toEqual(['abcde', 'c'])
})

test('a row is what a list says, whatever comes and leaves', () => {
  const row = new Row<Thing>()
  const all = things('abcdefgh')
  let list: Thing[] = []
  for (let step = 0; step < 5_000; step++) {
    const thing = all[(step * step * 7 + (step >> 3)) % all.length]
    if (!thing) continue
    list = list.filter((one) => one !== thing)
    if ((step * 13) % 5 < 3) {
      row.add(thing)
      list.push(thing)
    } else row.delete(thing)
    expect([...row]).toEqual(list)
  }
})
