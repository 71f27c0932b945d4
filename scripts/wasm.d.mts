export function withOwnFunctions(path: string): Promise<Uint8Array>
