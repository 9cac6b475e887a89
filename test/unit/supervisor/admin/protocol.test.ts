import { expect, test } from 'vitest';
import { accessOf, addressOf, ROUTES } from '../../../../supervisor/admin/protocol.js';
import { findRoute } from '../../../../supervisor/admin/route.js';

test('fields go into the path, the query of a GET and the body of a POST', () => {
  expect(addressOf(ROUTES.status)).toEqual({ url: 'status', body: {} });
  expect(addressOf(ROUTES.page)).toEqual({ url: '', body: {} });
  expect(addressOf(ROUTES.deadLetters, { limit: 50, reason: 'a&b c' })).toEqual({
    url: 'dead?limit=50&reason=a%26b%20c',
    body: {},
  });
  expect(addressOf(ROUTES.scale, { workers: 3 })).toEqual({ url: 'scale', body: { workers: 3 } });
  expect(addressOf(ROUTES.restart, { id: 'a/b?c' })).toEqual({ url: 'workers/a%2Fb%3Fc/restart', body: {} });
});

test('every address leads to its own route and back to what was put in', () => {
  const routes = Object.values(ROUTES).map((place) => ({ ...place, answer: () => ({ status: 200, body: '' }) }));
  for (const place of Object.values(ROUTES)) {
    const names = [...place.path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '');
    const params = Object.fromEntries(names.map((name) => [name, `ä/${name} %`]));
    const found = findRoute(routes, place.method, `/${addressOf(place, params).url}`);
    expect(found).toMatchObject({ route: place, params });
  }
});

test('a search in messages or answers needs what reading them needs', () => {
  expect(accessOf(ROUTES.deadLetters, { reason: 'poison' })).toBe('open');
  expect(accessOf(ROUTES.deadLetters, { text: 'x' })).toBe('admin');
  expect(accessOf(ROUTES.deadLetters, { answer: 'x' })).toBe('admin');
  expect(accessOf(ROUTES.purge)).toBe('admin');
});
