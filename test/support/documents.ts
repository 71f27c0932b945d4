// The pages of the documentation, and the fenced blocks in them.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { projectRoot } from './children.js'

export const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8')

/** From the project's directory, with `/`: those of its root, and all below docs/. */
export const documents: readonly string[] = [
  ...readdirSync(projectRoot),
  ...readdirSync(join(projectRoot, 'docs'), { recursive: true, encoding: 'utf8' }).map(name => join('docs', name)),
  join('src', 'FORMAT.md'),
]
  .filter(path => path.endsWith('.md'))
  .map(path => path.split(sep).join('/'))
  .sort()

export interface Block {
  /** The file, and the line where the block begins. */
  place: string
  /** Empty where none is given. */
  language: string
  text: string
  /** What stands in `<!-- … -->` before the block. */
  comment: string
}

const BLOCK = /^(?:<!-- (.+) -->\n+)?```(.*)\n((?:.*\n)*?)```$/gm

export function blocksOf(file: string, markdown: string): Block[] {
  return [...markdown.matchAll(BLOCK)].map(match => {
    const [block, comment = '', language = '', text = ''] = match
    const start = match.index + block.indexOf('```')
    const line = markdown.slice(0, start).split('\n').length
    return { place: `${file}:${line}`, language, text, comment }
  })
}

/** Links of a page to files that are not there, or to headings that the page there doesn't have. */
export function brokenLinks(root: string, page: string): string[] {
  const text = withoutBlocks(readFileSync(join(root, page), 'utf8')).replace(/`[^`\n]*`/g, 'code')
  return [...text.matchAll(/\]\(([^()\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return []
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? page : join(dirname(page), path)
    const isThere = existsSync(join(root, target)) && (anchor === undefined || anchorsOf(root, target).includes(anchor))
    return isThere ? [] : [`${page}: ${link}`]
  })
}

/** The anchors that GitHub gives to a page's headings. */
function anchorsOf(root: string, page: string): string[] {
  const headings = withoutBlocks(readFileSync(join(root, page), 'utf8')).matchAll(/^#+ (.*)$/gm)
  return Array.from(headings, ([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function withoutBlocks(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```$/gm, '')
}
