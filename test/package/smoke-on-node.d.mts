export function install(directory: string): void
export function smoke(directory: string): string[]
export function pack(directory: string): string
