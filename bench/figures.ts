import type { Measure } from './parts/options.ts'

/** Every figure by name; its file is imported when it is asked for. */
export const figures: Readonly<Record<string, () => Promise<{ readonly measure: Measure }>>> = {
  request: () => import('./request.ts'),
}
