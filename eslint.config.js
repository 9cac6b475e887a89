import tseslint from 'typescript-eslint';

const timeAndChance = [
  { object: 'Date', property: 'now', message: 'Take a Clock as an argument (src/shared/time/clock.ts).' },
  { object: 'Math', property: 'random', message: 'Take randomness as an argument.' },
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
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/require-await': 'off',
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
