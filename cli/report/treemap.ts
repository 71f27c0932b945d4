// The sizes as a map of rectangles. The layout is made here, in shares of the whole, so the page needs no library and fits
// any width; its script only moves the rectangles when one of them is opened.

import { basename } from 'node:path'
import { type HierarchyRectangularNode, hierarchy, treemap } from 'd3-hierarchy'
import { formatCountOf, formatSize } from '../format.js'
import { html, type Markup } from './markup.js'
import type { SizeNode } from './size-tree.js'
import { cut } from './table.js'

const WIDTH = 100
const HEIGHT = 56
/** Space for a rectangle's name above its contents, and between rectangles. */
const TITLE = 2.4
const GAP = 0.25
/** The number of colours. A rectangle has the colour of its namespace. */
const COLOURS = 8
const PROJECT_DEPTH = 2
const LEVELS = ['All', 'Namespace', 'Project', 'Directory', 'Directory', 'Directory']

type Node = HierarchyRectangularNode<SizeNode>

export function treemapOf(sizes: SizeNode): Markup {
  if (sizes.bytes === 0) return html`<p>There is nothing to show.</p>`
  const nodes = layout(sizes)
  const numbers = new Map(nodes.map((node, at) => [node, at]))
  const cells = nodes.map(node => {
    const siblings = node.parent?.children ?? [node]
    const { x0, y0, x1, y1, depth, data } = node
    const place = [x0 / WIDTH, y0 / HEIGHT, (x1 - x0) / WIDTH, (y1 - y0) / HEIGHT].map(share => share.toFixed(5))
    const [x, y, width, height] = place.map(share => `${(Number(share) * 100).toFixed(3)}%`)
    const name = depth === 0 ? 'All namespaces' : cut(data.name)
    const figures = `${formatSize(data.bytes)}, ${formatCountOf(data.entryCount, 'entry', 'entries')}`
    return html`<svg class="cell c${colourOf(node)} d${depth}${isSmall(place) && ' small'}" x="${x}" y="${y}" width="${width}" height="${height}" role="treeitem" aria-level="${depth + 1}" aria-posinset="${siblings.indexOf(node) + 1}" aria-setsize="${siblings.length}" aria-label="${LEVELS[depth] ?? 'Directory'} ${name}: ${figures}" tabindex="${depth === 0 ? 0 : -1}" data-parent="${node.parent ? (numbers.get(node.parent) as number) : ''}" data-place="${place.join(' ')}"><title>${pathOf(node)}: ${figures}</title><rect width="100%" height="100%"/><text x="6" y="15">${depth === PROJECT_DEPTH ? cut(basename(data.name)) || name : name}</text></svg>
`
  })
  const all = `${formatSize(sizes.bytes)}, ${formatCountOf(sizes.entryCount, 'entry', 'entries')}`
  return html`<p class="path"><button type="button" id="map-back" hidden>Back</button> <span id="map-status" role="status">All namespaces: ${all}</span></p>
<svg id="map" role="tree" aria-label="Sizes by namespace, project and directory" aria-describedby="map-help">${cells}</svg>`
}

/** Whether a rectangle is too small for a name. The page's script has the same rule. */
function isSmall([, , width, height]: readonly string[]): boolean {
  return Number(width) < 0.05 || Number(height) < 0.035
}

/** The rectangles, parents before children. */
function layout(sizes: SizeNode): Node[] {
  const root = hierarchy(sizes)
    // Space of children that aren't shown is left empty.
    .sum(({ bytes, children }) => Math.max(0, bytes - children.reduce((sum, child) => sum + child.bytes, 0)))
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0))
  const lay = treemap<SizeNode>()
    .size([WIDTH, HEIGHT])
    .paddingInner(GAP)
    .paddingOuter(GAP)
    .paddingTop(node => (node.children ? TITLE : GAP))
  return [...lay(root)]
}

/** The namespace's rank among the largest. */
function colourOf(node: Node): number | string {
  const namespace = node.ancestors().at(-2)
  return namespace ? (namespace.parent?.children?.indexOf(namespace) ?? 0) % COLOURS : 'none'
}

function pathOf(node: Node): string {
  const names = node
    .ancestors()
    .reverse()
    .slice(1)
    .map(({ data }) => cut(data.name))
  return names.length === 0 ? 'All namespaces' : names.join(' › ')
}

export interface SizeRow {
  path: string
  bytes: number
  entryCount: number
}

/** The sizes as rows, largest first. */
export function rowsOf(sizes: SizeNode, count: number): SizeRow[] {
  return layout(sizes)
    .slice(1)
    .sort((a, b) => b.data.bytes - a.data.bytes)
    .slice(0, count)
    .map(node => ({ path: pathOf(node), bytes: node.data.bytes, entryCount: node.data.entryCount }))
}
