// Renews package-lock.json (`./dev lock`): exact versions and hashes, no addresses, and of packages that come per platform
// only those that the registry had, since `npm ci` refuses a lock with gaps.
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'

const FILE = 'package-lock.json'
rmSync(FILE, { force: true })
execFileSync(process.execPath, [process.argv[2], 'install', '--package-lock-only'], { stdio: 'inherit' })
const lock = JSON.parse(readFileSync(FILE, 'utf8'))
const there = new Set(Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, '')))
for (const entry of Object.values(lock.packages)) {
  delete entry.resolved
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    if (!there.has(name)) delete entry.optionalDependencies[name]
  }
}
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`)
