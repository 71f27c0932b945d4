// The report as one HTML file that loads nothing. Its content security policy allows only its own style and script, by hash.

import { createHash } from 'node:crypto'
import script from '#report-script'
import style from '#report-style'
import type { EntrySummary } from '../../src/index.js'
import { formatAge, formatCount, formatCountOf, formatRatio, formatSize, formatTime, hitRateOf } from '../format.js'
import { NAME } from '../output.js'
import { monthOf } from './days.js'
import type { Report } from './gather.js'
import { html, Markup } from './markup.js'
import { gcOf, missesOf, namespacesOf, projectsOf, sharingOf } from './sections.js'
import { name, table } from './table.js'
import { rowsOf, treemapOf } from './treemap.js'

const SIZE_ROWS = 40

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** `version` is the program's. */
export function pageOf(report: Report, version: string): string {
  const { dir, madeAt, stats, sizes, problems } = report
  const policy = `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; base-uri 'none'; form-action 'none'`
  const made = `${new Date(madeAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Cache report</title>
<style>${new Markup(style)}</style>
</head>
<body>
<header>
<h1>Cache report</h1>
<p>${name(dir)} · ${made}</p>
</header>
<main>
${problemsOf(problems)}
${figuresOf(report)}
<section aria-labelledby="month"><h2 id="month">The last 30 days</h2>
${monthOf(stats, madeAt)}
</section>
<section aria-labelledby="sizes"><h2 id="sizes">Sizes</h2>
<p id="map-help">Values by namespace, project and directory, as if nothing were shared. Click on a rectangle to open it. With the keyboard: arrow keys move, Enter opens, Escape goes back.</p>
${treemapOf(sizes)}
<details><summary>The same as a table</summary>
${table(
  'What takes the most',
  ['Namespace, project, directory', 'Size', 'Entries'],
  rowsOf(sizes, SIZE_ROWS).map(row => [name(row.path), formatSize(row.bytes), formatCount(row.entryCount)]),
)}
</details>
</section>
<section aria-labelledby="plugins"><h2 id="plugins">Plugins</h2>
${namespacesOf(stats)}
<h3>Why entries were not found</h3>
${missesOf(stats)}
</section>
<section aria-labelledby="projects"><h2 id="projects">Projects</h2>
${projectsOf(report)}
</section>
<section aria-labelledby="sharing"><h2 id="sharing">Shared between plugins</h2>
${sharingOf(stats)}
</section>
<section aria-labelledby="entries"><h2 id="entries">Entries</h2>
${entriesOf('The largest', report.largest, madeAt)}
${entriesOf('The oldest', report.oldest, madeAt)}
${report.slowest.length > 0 && entriesOf('The slowest to compute', report.slowest, madeAt)}
</section>
<section aria-labelledby="gc"><h2 id="gc">What a gc would free</h2>
${gcOf(report.gc)}
</section>
</main>
<footer><p>Made by ${NAME} ${version}. This file loads nothing and sends nothing.</p></footer>
<script>${new Markup(script)}</script>
</body>
</html>
`
  return page.text
}

function problemsOf(problems: readonly string[]): Markup | false {
  return (
    problems.length > 0 &&
    html`<section class="problems" aria-labelledby="problems"><h2 id="problems">Parts of the cache could not be read</h2>
<ul>${problems.map(problem => html`<li>${problem}</li>`)}</ul>
<p>The figures below leave them out. <code>${NAME} verify</code> says what is damaged.</p></section>`
  )
}

/** The most important figures, at the top of the page. */
function figuresOf({ stats, gc }: Report): Markup {
  const { hitCount, missCount, entryCount, namespaces, diskBytes, savedBytes, totalSize } = stats
  const hitRate = hitRateOf(hitCount, missCount)
  const namespaceCount = Object.keys(namespaces).length
  const figures: [title: string, value: string, note: string][] = [
    ['Time saved', formatTime(stats.savedMs), 'by hits, as computing took when it was stored'],
    [
      'Hit rate',
      hitRate === null ? '–' : formatRatio(hitRate),
      `${formatCount(hitCount)} hits, ${formatCount(missCount)} misses`,
    ],
    ['Entries', formatCount(entryCount), `in ${formatCountOf(namespaceCount, 'namespace', 'namespaces')}`],
    ['On disk', formatSize(diskBytes), `values of ${formatSize(totalSize)}`],
    ['Stored once', formatSize(savedBytes), 'saved by storing equal values once'],
    [
      'A gc would free',
      gc ? formatSize(Math.max(0, gc.diskBytesBefore - gc.diskBytesAfter)) : '–',
      gc ? '' : 'could not be told',
    ],
  ]
  return html`<section aria-label="Key figures"><dl class="figures">${figures.map(
    ([title, value, note]) => html`<div><dt>${title}</dt><dd class="value">${value}</dd><dd>${note}</dd></div>
`,
  )}</dl></section>`
}

function entriesOf(caption: string, entries: readonly EntrySummary[], nowMs: number): Markup {
  if (entries.length === 0) return html`<p>${caption}: there are none.</p>`
  const rows = entries.map(entry => [
    name(entry.key),
    name(entry.namespace),
    name(entry.project ?? (entry.isPortable ? '(portable)' : '(user-wide)')),
    formatSize(entry.sizeBytes),
    formatAge(nowMs - entry.createdAt),
    formatAge(nowMs - entry.usedAt),
    entry.computeMs === null ? '–' : formatTime(entry.computeMs),
  ])
  return table(caption, ['Key', "'Namespace", "'Project", 'Size', 'Age', 'Last use', 'Computed in'], rows)
}
