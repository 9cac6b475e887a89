import tseslint from 'typescript-eslint';

const CLOCK = 'Take a Clock as an argument (src/shared/time/clock.ts).';

/** Time and chance are arguments: what reads or waits by itself cannot be tested in virtual time. */
const timeAndChance = {
  'no-restricted-globals': [
    'error',
    { name: 'setTimeout', message: CLOCK },
    { name: 'setInterval', message: CLOCK },
    { name: 'performance', message: CLOCK },
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: CLOCK },
    { object: 'Math', property: 'random', message: 'Take Random as an argument (src/shared/time/random.ts).' },
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: ['node:timers', 'node:timers/promises'].map((name) => ({
        name,
        importNames: ['setTimeout', 'setInterval'],
        message: CLOCK,
      })),
    },
  ],
};

const oneHand = [
  {
    selector:
      ':matches(PropertyDefinition, MethodDefinition[kind!="constructor"], TSParameterProperty)[accessibility="private"]',
    message: 'Write #name: it is private at run time, too.',
  },
];

/** A test waits for what is to happen (test/support/wait-for.ts), not for a time to pass. */
const sleeping = 'Wait for a condition (test/support/wait-for.ts).';
const measuring = 'What measures a time belongs into a file *.timed.test.ts, which runs alone.';
const boundsOnTime = [
  {
    selector:
      'CallExpression[callee.property.name=/^toBeLessThan/] CallExpression[callee.object.name=/^(performance|Date)$/][callee.property.name="now"]',
    message: measuring,
  },
  { selector: 'CallExpression[callee.name="waitFor"] Property[key.name="deadlineMs"] > Literal', message: measuring },
  {
    selector:
      'CallExpression[callee.property.name=/^(waitForLine|waitForExit|quiet|ready)$/] > Literal[raw=/^[\\d_]{4,}$/]',
    message: measuring,
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
  {
    files: ['src/**/*.ts', 'supervisor/**/*.ts'],
    // the two files that everybody takes them from, and the page, which runs in a browser
    ignores: ['src/shared/time/*.ts', 'supervisor/dashboard/page/**'],
    rules: timeAndChance,
  },
  {
    // without exception: only what the promise of a time is about, and the fault matrix, keep a clock
    files: ['test/**/*.ts'],
    ignores: ['test/**/*.timed.test.ts', 'test/support/**', 'test/faults/**'],
    rules: {
      'no-restricted-globals': ['error', ...['setTimeout', 'setInterval'].map((name) => ({ name, message: sleeping }))],
      'no-restricted-imports': [
        'error',
        ...['node:timers', 'node:timers/promises'].map((name) => ({ name, message: sleeping })),
      ],
      'no-restricted-syntax': ['error', ...oneHand, ...boundsOnTime],
    },
  },
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
