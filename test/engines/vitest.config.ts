import { mergeConfig } from 'vitest/config'
import shared from '../../vitest.config.js'

const own = mergeConfig(shared, { test: { testTimeout: 300_000, hookTimeout: 60_000, maxWorkers: 2 } })
own.test.include = ['test/engines/*.test.ts']
own.test.exclude = ['**/node_modules/**']

export default own
