// Who takes part, and as what. The adapters beside this file are loaded by children alone: a fresh process that is
// measured must pay for one of them and nothing else. Each adapter exports
//
//   open(dir, name?)   a store, or a promise of one; `name` asks for one of several stores in the same directory
//   isAsync            whether the store's calls return promises
//
// and a store has get(key), set(key, value), setMany([{ key, value }]), close(). What `set` has stored when it returns (or
// resolves) survives a kill of its process and is seen by others, as this library promises. None of them syncs to disk.

/**
 * @typedef {object} Peer
 * @property {string} name the row's title, and the adapter's file name with `-` for `:`
 * @property {string} [packageName] whose version is reported
 * @property {string} how the settings that give it the same promise
 * @property {boolean} isSlow takes milliseconds a set: gets smaller workloads, figures are per operation
 * @property {boolean} [hasBatch] stores many entries in less than one by one; others get a small batch
 * @property {number} maxEntries no larger store is made of it
 * @property {string} [why] the reason for a bound
 */

export const OURS = 'wicked-cache'
/** The one that a user would pick today: it is part of Node. */
export const SQLITE = 'node:sqlite'

/** @type {readonly Peer[]} */
export const PEERS = [
  { name: OURS, how: 'as it comes', isSlow: false, hasBatch: true, maxEntries: Number.POSITIVE_INFINITY },
  {
    name: SQLITE,
    how: '`journal_mode = WAL`, `synchronous = NORMAL`, one table, JSON values, prepared statements; batches in a transaction',
    isSlow: false,
    hasBatch: true,
    maxEntries: Number.POSITIVE_INFINITY,
  },
  {
    name: 'lmdb',
    packageName: 'lmdb',
    how: '`noSync`, `encoding: "cbor"`; `putSync`, batches in `transactionSync`',
    isSlow: false,
    hasBatch: true,
    maxEntries: Number.POSITIVE_INFINITY,
  },
  {
    name: 'lmdb-async',
    packageName: 'lmdb',
    how: 'the same with `put`, each set awaited; batches queued in one turn and awaited together',
    isSlow: false,
    hasBatch: true,
    maxEntries: 0,
    why: 'reads are those of lmdb',
  },
  {
    name: 'better-sqlite3',
    packageName: 'better-sqlite3',
    how: '`journal_mode = WAL`, `synchronous = OFF`, one table without rowid, cbor-x values; batches in a transaction',
    isSlow: false,
    hasBatch: true,
    maxEntries: Number.POSITIVE_INFINITY,
  },
  {
    name: 'file-per-blob',
    how: 'cbor-x value in a file named by a hash of the key, written beside and renamed',
    isSlow: false,
    maxEntries: 100_000,
    why: 'a million files take 4 GB and minutes to make',
  },
  {
    name: 'flat-cache',
    packageName: 'flat-cache',
    how: '`save()` after each set or batch: nothing is stored before',
    isSlow: true,
    hasBatch: true,
    maxEntries: 100_000,
    why: 'it reads all entries at every start, which shows long before a million',
  },
  {
    name: 'keyv-sqlite',
    packageName: '@keyv/sqlite',
    how: '`PRAGMA journal_mode = WAL`, `synchronous = OFF`, its own JSON',
    isSlow: false,
    maxEntries: 100_000,
    why: 'it takes a tenth of a millisecond a set, in batches too',
  },
  {
    name: 'cacache',
    packageName: 'cacache',
    how: 'as it comes, cbor-x values; it has no batch',
    isSlow: true,
    maxEntries: 1000,
    why: 'a set takes about two milliseconds',
  },
]

/** The address of a peer's adapter. @param {string} name */
export const adapterOf = name => new URL(`${fileNameOf(name)}.mjs`, import.meta.url).href

/** @param {string} name of a peer */
export const fileNameOf = name => name.replaceAll(':', '-')
