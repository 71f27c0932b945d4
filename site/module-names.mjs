// A plugin of TypeDoc: modules are called what they are imported as.
import { Converter } from 'typedoc'

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children ?? []) {
      module.name = module.name === 'index' ? 'wicked-cache' : module.name.replace('adapters/', 'wicked-cache/')
    }
  })
}
