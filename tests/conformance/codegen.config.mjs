// Types of the example client in client/typed, from the committed schema and its own documents.
export default {
  schema: '../../schema.graphql',
  documents: ['client/typed/*.ts'],
  generates: {
    'target/typed/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        strictScalars: true,
        scalars: { Date: 'string', DateTime: 'string', YearMonth: 'string' },
        enumsAsTypes: true,
        useTypeImports: true,
        emitLegacyCommonJSImports: false,
      },
    },
  },
};
