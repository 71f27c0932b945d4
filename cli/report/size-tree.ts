// Sizes by namespace, project and directory. The tree is built while entries are read, and its size is limited for any keys.
// The report shows its largest nodes.

import type { EntrySummary } from '../../src/index.js'
import { Largest } from '../listing/largest.js'

export interface SizeNode {
  name: string
  bytes: number
  entryCount: number
  children: SizeNode[]
}

interface Growing {
  name: string
  bytes: number
  entryCount: number
  depth: number
  parent: Growing | undefined
  children: Map<string, Growing>
}

/** Namespaces, projects, and three levels of directories. */
const NAMESPACE_DEPTH = 1
const MAX_DEPTH = 5
/** With more nodes, the deepest directories are merged into their parents. */
const MAX_NODES = 50_000

export class SizeTree {
  readonly #root = grow('', undefined)
  #nodeCount = 0
  #maxDepth = MAX_DEPTH

  /** An answer to an earlier state takes space, but isn't counted as an entry, as elsewhere in the report. */
  add({ namespace, project, isPortable, isPastAnswer, key, sizeBytes }: EntrySummary): void {
    const entryCount = isPastAnswer ? 0 : 1
    const count = (node: Growing): Growing => {
      node.bytes += sizeBytes
      node.entryCount += entryCount
      return node
    }
    const root = count(this.#root)
    const owner = count(this.#childOf(root, namespace))
    if (this.#maxDepth <= NAMESPACE_DEPTH) return
    let node = count(this.#childOf(owner, project ?? (isPortable ? '(portable)' : '(user-wide)')))
    const path = project !== null && key.startsWith(`${project}/`) ? key.slice(project.length + 1) : key
    let start = 0
    while (node.depth < this.#maxDepth) {
      while (path[start] === '/') start++
      const end = path.indexOf('/', start)
      if (end < 0) break
      node = count(this.#childOf(node, path.slice(start, end)))
      start = end + 1
    }
    while (this.#nodeCount > MAX_NODES && this.#maxDepth > NAMESPACE_DEPTH) this.#giveUpDeepest()
  }

  /** The largest nodes, with their parents. */
  largest(nodeCount: number): SizeNode {
    const largest = new Largest<Growing>(nodeCount)
    const visit = (node: Growing) => {
      // A parent comes before an equally large child.
      if (node.bytes > 0) largest.add(node.bytes - node.depth / 1000, node)
      for (const child of node.children.values()) visit(child)
    }
    visit(this.#root)
    const shown = new Map<Growing, SizeNode>()
    for (const node of largest.sorted()) {
      const { name, bytes, entryCount } = node
      const copy: SizeNode = { name, bytes, entryCount, children: [] }
      shown.set(node, copy)
      if (node.parent) shown.get(node.parent)?.children.push(copy)
    }
    return shown.get(this.#root) ?? { name: '', bytes: 0, entryCount: 0, children: [] }
  }

  #childOf(parent: Growing, name: string): Growing {
    let child = parent.children.get(name)
    if (!child) {
      child = grow(name, parent)
      parent.children.set(name, child)
      this.#nodeCount++
    }
    return child
  }

  #giveUpDeepest(): void {
    this.#maxDepth--
    const visit = (node: Growing) => {
      if (node.depth < this.#maxDepth) for (const child of node.children.values()) visit(child)
      else {
        this.#nodeCount -= node.children.size
        node.children.clear()
      }
    }
    visit(this.#root)
  }
}

function grow(name: string, parent: Growing | undefined): Growing {
  return { name, bytes: 0, entryCount: 0, depth: (parent?.depth ?? -1) + 1, parent, children: new Map() }
}
