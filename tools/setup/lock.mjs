import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

/** Runs `task` while this process alone holds the lock file; waits for another holder, and takes over from one that died. */
export async function withLock(path, task) {
  const mine = `${path}.${process.pid}`
  writeFileSync(mine, String(process.pid))
  try {
    for (let told = false; !take(mine, path); told = true) {
      if (!told) console.error(`Another set-up is running (process ${holder(path)}); waiting for it ...`)
      await wait(200)
    }
    try {
      return await task()
    } finally {
      rmSync(path, { force: true })
    }
  } finally {
    rmSync(mine, { force: true })
  }
}

/** A link is made by one process only, and is never seen half-written. */
function take(mine, path) {
  try {
    linkSync(mine, path)
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  if (!isAlive(holder(path))) dropStale(path, `${mine}.stale`)
  return false
}

/** Moved aside before it is judged again, so that of two waiters none removes the lock that the other just took. */
function dropStale(path, aside) {
  try {
    renameSync(path, aside)
    if (isAlive(holder(aside))) linkSync(aside, path)
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error
  } finally {
    rmSync(aside, { force: true })
  }
}

function holder(path) {
  try {
    return Number(readFileSync(path, 'utf8'))
  } catch {
    return 0
  }
}

function isAlive(pid) {
  if (!pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
