// The site: what stands where. Its pages are laid out by stage.mjs; all that it loads is its own.
import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'

const page = (text, link) => ({ text, link })

const GUIDE = [
  {
    text: 'Start',
    items: [
      page('What it is', '/'),
      page('Getting started', '/docs/getting-started'),
      page('Migrating', '/docs/migrating'),
    ],
  },
  {
    text: 'Hosts',
    items: [
      page('All hosts', '/docs/hosts'),
      page('ESLint', '/docs/hosts/eslint'),
      page('Babel plugins', '/docs/hosts/babel'),
      page('Vite', '/docs/hosts/vite'),
      page('Rollup and Rolldown', '/docs/hosts/rollup'),
      page('esbuild', '/docs/hosts/esbuild'),
      page('webpack loaders', '/docs/hosts/webpack'),
      page('Babel in webpack', '/docs/hosts/babel-loader'),
      page('Jest', '/docs/hosts/jest'),
      page('Metro', '/docs/hosts/metro'),
      page('Keyv, cache-manager, got', '/docs/hosts/keyv'),
      page('unstorage and Nitro', '/docs/hosts/unstorage'),
      page('Editor assistants', '/docs/hosts/assistant-hook'),
      page('Python tools', '/docs/hosts/python'),
      page('pnpm monorepo', '/docs/hosts/monorepo'),
      page('CI restore', '/docs/hosts/ci-restore'),
    ],
  },
  {
    text: 'Guide',
    items: [
      page('Keys and projects', '/docs/keys-and-projects'),
      page('Inputs', '/docs/inputs'),
      page('Values', '/docs/values'),
      page('Limits, gc and verify', '/docs/maintenance'),
      page('Watching', '/docs/watching'),
      page('CI and containers', '/docs/ci'),
      page('The remote tier', '/docs/remote'),
      page('Troubleshooting', '/docs/troubleshooting'),
    ],
  },
  {
    text: 'Reference',
    items: [
      page('API overview', '/docs/api'),
      page('Every call and type', '/reference/'),
      page('Command line', '/docs/command-line'),
      page('Guarantees', '/docs/guarantees'),
      page('Compatibility', '/docs/compatibility'),
    ],
  },
  {
    text: 'Other languages',
    items: [
      page('Python', '/docs/python'),
      page('Claude Code and the shell', '/docs/claude-code'),
      page('Any language', '/docs/serve'),
    ],
  },
  {
    text: 'How it works',
    items: [
      page('Architecture', '/docs/architecture'),
      page('Decisions', '/docs/adr/'),
      page('On-disk format', '/src/FORMAT'),
      page('Benchmark', '/bench/RESULTS'),
      page('Contributing', '/CONTRIBUTING'),
      page('Security', '/SECURITY'),
      page('Changelog', '/CHANGELOG'),
    ],
  },
]

/** The anchors that GitHub gives to headings, which links in the pages name. */
const slugify = title =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

/** Written by TypeDoc: the kinds of what `wicked-cache` exports, and the adapters, which have lower-case names. */
const sidebar = new URL('../pages/reference/typedoc-sidebar.json', import.meta.url)
const exported = JSON.parse(readFileSync(sidebar, 'utf8')).flatMap(({ items }) => items)
const isAdapter = ({ text }) => text === text.toLowerCase()

const REFERENCE = [
  { text: 'wicked-cache', items: exported.filter(item => !isAdapter(item)) },
  { text: 'Adapters', items: exported.filter(isAdapter) },
  GUIDE[0],
]

export default defineConfig({
  title: 'wicked-cache',
  description: 'One cache directory per user, shared by every plugin on the machine.',
  lang: 'en',
  // Browsers ask for /favicon.ico otherwise.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: 'pages',
  outDir: 'dist',
  cacheDir: 'node_modules/.vitepress',
  markdown: { anchor: { slugify } },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      page('Getting started', '/docs/getting-started'),
      page('Hosts', '/docs/hosts'),
      page('Reference', '/reference/'),
    ],
    sidebar: { '/': GUIDE, '/reference/': REFERENCE },
  },
})
