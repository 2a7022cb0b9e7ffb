import { expect } from 'vitest'

const timed = (run: () => void): number => {
  const began = performance.now()
  run()
  return performance.now() - began
}
/** Between the 8 of linear cost and the 64 of quadratic cost, far from both. */
const most = 28

/**
 * Asserts that the cost of `run` grows with the size of its input and not with the square of it: the input is doubled three times. The
 * fastest runs count, since what the machine does besides makes none faster, and they are tried again until they show it.
 */
export const expectLinearCost = (run: (size: number) => void, size: number): void => {
  let [small, large] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let tries = 0; tries < 40 && (tries < 3 || large / Math.max(small, 0.05) >= most); tries++) {
    small = Math.min(
      small,
      timed(() => run(size)),
    )
    large = Math.min(
      large,
      timed(() => run(8 * size)),
    )
  }
  expect(large / Math.max(small, 0.05)).toBeLessThan(most)
}
