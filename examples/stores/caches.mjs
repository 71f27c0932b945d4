// Caches with one interface: `get(key)`, which gives undefined for a miss, and `set(key, value)`. Only the ones that are used are loaded.

const keyv = async () => {
  const [{ Keyv }, { KeyvStore }] = [await import('keyv'), await import('wicked-cache/keyv')]
  return new Keyv({ store: new KeyvStore({ name: 'outlines' }) })
}

const storage = async driver => {
  const { createStorage } = await import('unstorage')
  const made = createStorage({ driver })
  return {
    get: async key => (await made.getItem(key)) ?? undefined,
    set: (key, value) => made.setItem(key, value),
  }
}

const CACHES = {
  keyv,
  'cache-manager': async () => (await import('cache-manager')).createCache({ stores: [await keyv()] }),
  cacheable: async () => new (await import('cacheable')).Cacheable({ secondary: await keyv() }),
  unstorage: async () => storage((await import('wicked-cache/unstorage')).default({ name: 'outlines' })),
  // unstorage's own files, to compare.
  'unstorage-fs': async () => storage((await import('unstorage/drivers/fs')).default({ base: '.outlines' })),
}

/** @param {string} name */
export const createCache = name => CACHES[name]()
