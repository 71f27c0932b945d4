export const textOf = count => `${count} s`
