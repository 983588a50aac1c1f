/** Operations as a tree of path segments. */
import type { OperationSchema, Schemas } from '@/forms/schema'

export interface Branch {
  segment: string
  path: string
  operations: OperationSchema[]
  children: Branch[]
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE']

/** The tree of those operations whose name or text has all words of `filter`. */
export function treeOf(schemas: Schemas, filter: string, describe: (text: string) => string): Branch {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const root: Branch = { segment: '/', path: '/', operations: [], children: [] }
  for (const each of schemas.values()) {
    const said = `${each.name} ${each.text} ${describe(each.text)}`.toLowerCase()
    if (words.every((word) => said.includes(word))) branchAt(root, each.path).operations.push(each)
  }
  return sorted(root)
}

function branchAt(root: Branch, path: string): Branch {
  let branch = root
  for (const segment of path.split('/').filter(Boolean)) {
    let next: Branch | undefined = branch.children.find((child) => child.segment === segment)
    if (!next) {
      next = { segment, path: `${branch.path === '/' ? '' : branch.path}/${segment}`, operations: [], children: [] }
      branch.children.push(next)
    }
    branch = next
  }
  return branch
}

function sorted(branch: Branch): Branch {
  branch.operations.sort((a, b) => METHODS.indexOf(a.method) - METHODS.indexOf(b.method))
  branch.children.sort((a, b) => (a.segment < b.segment ? -1 : 1))
  for (const child of branch.children) sorted(child)
  return branch
}

export const countOf = (branch: Branch): number =>
  branch.operations.length + branch.children.reduce((sum, child) => sum + countOf(child), 0)
