module.exports = { transform: { '\\.js$': './transformer.cjs' } }
