import tseslint from 'typescript-eslint';

const timeAndChance = [
  { object: 'Date', property: 'now', message: 'Take a Clock as an argument (src/shared/time/clock.ts).' },
  { object: 'Math', property: 'random', message: 'Take randomness as an argument.' },
];

const oneHand = [
  {
    selector:
      ':matches(PropertyDefinition, MethodDefinition[kind!="constructor"], TSParameterProperty)[accessibility="private"]',
    message: 'Write #name: it is private at run time, too.',
  },
];

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'coverage/**', '.quickstart/**'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // a value and its types come in one import; what is all types leaves nothing at run time, hence `import type`
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      'no-duplicate-imports': ['error', { includeExports: false }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/require-await': 'off',
      'no-restricted-syntax': ['error', ...oneHand],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  { files: ['src/domain/**/*.ts'], rules: { 'no-restricted-properties': ['error', ...timeAndChance] } },
  {
    // expect(object.method) and the hooks' own objects take methods by name
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/unbound-method': 'off' },
  },
  {
    files: ['scripts/**/*.ts', 'supervisor/cli.ts', 'supervisor/commands/**/*.ts', 'test/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
);
