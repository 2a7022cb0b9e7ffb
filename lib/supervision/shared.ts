/**
 * What plugins of one place share, by key: a reload with other options has two of a plugin at once, and what they work on is the same. The
 * newest user rules; the last one that goes closes it.
 */
export const sharedBy = <U, S extends { use(user: U): void; close(): Promise<void> }>() => {
  const all = new Map<string, { readonly shared: Promise<S>; users: readonly U[] }>()
  return {
    async take(key: string, user: U, open: () => Promise<S>): Promise<S> {
      const entry = all.get(key) ?? { shared: open(), users: [] }
      entry.users = [...entry.users, user]
      all.set(key, entry)
      try {
        const shared = await entry.shared
        shared.use(user)
        return shared
      } catch (error) {
        all.delete(key)
        throw error
      }
    },
    async giveBack(key: string, user: U): Promise<void> {
      const entry = all.get(key)
      if (!entry) return
      entry.users = entry.users.filter((other) => other !== user)
      const [shared, newest] = [await entry.shared, entry.users.at(-1)]
      if (newest !== undefined) return shared.use(newest)
      all.delete(key)
      await shared.close()
    },
  }
}
