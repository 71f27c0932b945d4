export interface Figures {
  cold: string
  warm: string
  ratio: string
}
export interface Peer extends Figures {
  name: string
  isRight: boolean
}
export interface Row extends Figures {
  page: string
  host: string
  without: string
  hits: string
  peers: Peer[]
}

export function withTables(markdown: string, rows: Row[], nameOf?: (row: Row) => string): string
export function shapeOf(markdown: string): string
export function tablesOf(markdown: string): string
