import cycles from './plugin.mjs'

export default [{ files: ['src/**/*.js'], plugins: { cycles }, rules: { 'cycles/no-cycle': 'warn' } }]
