import { describe, expect, test } from 'vitest';
import { AccessRepository } from '../store/access';
import { openDatabase } from '../store/database';
import { Access, type AccessPolicy } from './access';
import { digest } from './digest';

const KEY = 'ivy-0123456789abcdef0123456789abcdef';

async function setUp(change: Partial<AccessPolicy> = {}, keys: string[] = []) {
  const database = await openDatabase(':memory:');
  const policy: AccessPolicy = {
    loopback: true,
    publicUrl: 'http://127.0.0.1:8000',
    allowedHosts: [],
    corsOrigins: [],
    apiKeys: keys,
    openWebUiSecret: undefined,
    adminPassword: change.loopback === false ? 'correct horse' : undefined,
    ...change,
  };
  const access = new Access(new AccessRepository(database), () => policy);
  await access.syncKeys(keys);
  const authorize = (
    headers: Record<string, string>,
    audience: 'api' | 'page' | 'either' = 'api',
    { method = 'POST', cors = false } = {},
  ) => access.authorize({ method, headers: new Headers({ host: '127.0.0.1:8000', ...headers }) }, audience, { cors });
  return { access, authorize, database, policy };
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

test('what is set for a key goes with whoever uses it, and stays when the keys are read again', async () => {
  const { access, authorize } = await setUp({}, [KEY]);
  const [key] = await access.keys();
  expect(key).toMatchObject({ name: 'IVY_API_KEYS 1', hint: 'cdef', citations: null });
  expect(await authorize(bearer(KEY))).not.toHaveProperty('citations');
  await access.setKey(key?.id ?? '', { citations: 'footnotes', trustsUsers: true, collections: null });
  await access.syncKeys(['ivy-another-0123456789', KEY]);
  expect(await authorize(bearer(KEY))).toMatchObject({ name: 'IVY_API_KEYS 2', citations: 'footnotes' });
  const named = { ...bearer(KEY), 'x-openwebui-user-id': 'u1' };
  expect(await authorize(named)).toMatchObject({ user: 'u1' });
  await access.setKey(key?.id ?? '', { citations: null, trustsUsers: false, collections: null });
  expect(await authorize(named)).not.toHaveProperty('user');
  await expect(
    access.setKey('key_nope', { citations: null, trustsUsers: false, collections: null }),
  ).rejects.toMatchObject({
    status: 404,
  });
});

describe('on loopback', () => {
  test('nobody has to sign in, and made-up keys are ignored while there is no key', async () => {
    const { authorize } = await setUp();
    expect(await authorize({})).toMatchObject({ kind: 'local', role: 'admin' });
    expect(await authorize(bearer('sk-anything'))).toMatchObject({ kind: 'local' });
  });

  test('once there are keys, a wrong one is refused and a right one is known', async () => {
    const { authorize } = await setUp({}, [KEY]);
    expect(await authorize(bearer(KEY))).toMatchObject({ kind: 'key', role: 'member' });
    expect(await authorize({ authorization: `bearer  ${KEY} ` })).toMatchObject({ kind: 'key' });
    await expect(authorize(bearer('sk-anything'))).rejects.toMatchObject({ status: 401 });
  });

  test('a credential that is set is asked for here too, so that a proxy on this machine publishes nothing', async () => {
    const { authorize } = await setUp({ adminPassword: 'correct horse' }, [KEY]);
    for (const audience of ['api', 'page', 'either'] as const) {
      await expect(authorize({}, audience), audience).rejects.toMatchObject({ status: 401 });
    }
    expect(await authorize(bearer(KEY), 'either')).toMatchObject({ kind: 'key' });
    const keysOnly = await setUp({}, [KEY]);
    await expect(keysOnly.authorize({})).rejects.toMatchObject({ status: 401 });
    expect(await keysOnly.authorize({}, 'page')).toMatchObject({ kind: 'local' });
  });

  test.each(['evil.example', 'evil.example:8000', '127.0.0.1.evil.example', 'x/?a=#b', '', '127.0.0.1:8000@evil'])(
    'Host %j is refused',
    async (host) => {
      const { authorize } = await setUp();
      await expect(authorize({ host }, 'api', { method: 'GET' })).rejects.toMatchObject({ status: 403 });
    },
  );

  test.each(['localhost:8000', '[::1]:8000', '127.0.0.2', 'ivy.example', 'desk.local:8000'])(
    'Host %s is allowed',
    async (host) => {
      const { authorize } = await setUp({ publicUrl: 'https://ivy.example', allowedHosts: ['desk.local'] });
      expect(await authorize({ host })).toBeDefined();
    },
  );

  test('a web page elsewhere cannot change anything', async () => {
    const { authorize } = await setUp({ corsOrigins: ['https://chat.example'] });
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:9999']) {
      await expect(authorize({ origin }), origin).rejects.toMatchObject({ status: 403 });
    }
    await expect(authorize({ 'sec-fetch-site': 'cross-site' })).rejects.toMatchObject({ status: 403 });
    await expect(authorize({ 'sec-fetch-site': 'same-site' })).rejects.toMatchObject({ status: 403 });
    expect(await authorize({ origin: 'http://127.0.0.1:8000' })).toBeDefined();
    // An origin that was let in may use the API, and nothing else.
    const page = { origin: 'https://chat.example' };
    expect(await authorize(page, 'api', { cors: true })).toBeDefined();
    await expect(authorize(page, 'either')).rejects.toMatchObject({ status: 403 });
    expect(await authorize({ 'sec-fetch-site': 'same-origin' })).toBeDefined();
    expect(await authorize({ origin: 'https://evil.example' }, 'api', { method: 'GET' })).toBeDefined();
  });
});

describe('on a network address', () => {
  test('clients need a key and pages a session; a key does not open pages', async () => {
    const { authorize } = await setUp({ loopback: false }, [KEY]);
    await expect(authorize({})).rejects.toMatchObject({ status: 401 });
    await expect(authorize(bearer('x'))).rejects.toMatchObject({ status: 401 });
    expect(await authorize(bearer(KEY))).toMatchObject({ kind: 'key' });
    await expect(authorize(bearer(KEY), 'page')).rejects.toMatchObject({ status: 401 });
    expect(await authorize(bearer(KEY), 'either')).toMatchObject({ kind: 'key' });
  });

  test('a session opens pages until it is ended', async () => {
    const { access, authorize } = await setUp({ loopback: false });
    const request = { method: 'POST', headers: new Headers() };
    const { token } = await access.login(request, 'correct horse');
    const cookie = { cookie: `other=1; ivy_session=${token}` };
    expect(await authorize(cookie, 'page')).toMatchObject({ kind: 'session', role: 'admin' });
    expect(await authorize(cookie, 'either')).toMatchObject({ kind: 'session' });
    await expect(authorize(cookie, 'api')).rejects.toMatchObject({ status: 401 });
    await expect(authorize({ cookie: `ivy_session=${token}x` }, 'page')).rejects.toMatchObject({ status: 401 });
    await access.logout({ method: 'POST', headers: new Headers({ host: '127.0.0.1:8000', ...cookie }) });
    await expect(authorize(cookie, 'page')).rejects.toMatchObject({ status: 401 });
  });

  test('guessing is slowed down, and the right password waits as well', async () => {
    const { access } = await setUp({ loopback: false });
    const request = { method: 'POST', headers: new Headers() };
    for (let tries = 0; tries < 5; tries++)
      await expect(access.login(request, 'wrong')).rejects.toMatchObject({ status: 401 });
    await expect(access.login(request, 'correct horse')).rejects.toMatchObject({ status: 429, retryAfterSeconds: 2 });
  });

  test('without a password nobody signs in', async () => {
    const { access } = await setUp({ loopback: false, adminPassword: undefined });
    await expect(access.login({ method: 'POST', headers: new Headers() }, '')).rejects.toMatchObject({ status: 403 });
  });
});

test('withdrawn keys end, and only digests are stored', async () => {
  const { access, authorize, database } = await setUp({ loopback: false }, [KEY, 'ivy-second-0123456789']);
  await access.syncKeys(['ivy-second-0123456789']);
  await expect(authorize(bearer(KEY))).rejects.toMatchObject({ status: 401 });
  expect(await authorize(bearer('ivy-second-0123456789'))).toBeDefined();
  const rows = await database.selectFrom('api_keys').selectAll().execute();
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).toContain(digest('ivy-second-0123456789'));
  expect(JSON.stringify(rows)).not.toContain('ivy-second');
});

test('injection in a key is just a wrong key', async () => {
  const { authorize } = await setUp({ loopback: false }, [KEY]);
  await expect(authorize(bearer("'||1=1--"))).rejects.toMatchObject({ status: 401 });
});
