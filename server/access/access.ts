import { randomBytes } from 'node:crypto';
import { AppError } from '../core/errors';
import type { CitationStyle, Principal } from '../core/run';
import { digest, sameSecret } from './digest';
import { forwardedUser } from './forwarded-user';
import { LoginLimiter } from './login-limiter';
import { checkOrigin, type OriginPolicy } from './origin';

/** What can be set for a key. */
export interface KeySettings {
  citations: CitationStyle | null;
  /** True when the user that its client names in a plain header is believed. */
  trustsUsers: boolean;
  /** Collections that its clients may search and see; all when null. */
  collections: readonly string[] | null;
}

/** A key as people may see it. */
export interface KeyInfo extends KeySettings {
  id: string;
  name: string;
  /** Its last characters. */
  hint: string;
}

/** Keys and sessions by digest; the store implements it. */
export interface AccessStore {
  keyByDigest(digest: string): Promise<KeyInfo | undefined>;
  keys(): Promise<KeyInfo[]>;
  setKey(id: string, change: KeySettings): Promise<boolean>;
  keyCount(): Promise<number>;
  syncKeys(keys: readonly { id: string; name: string; hint: string; digest: string }[]): Promise<void>;
  addSession(digest: string, expiresAt: number): Promise<void>;
  sessionExists(digest: string, now: number): Promise<boolean>;
  removeSession(digest: string): Promise<void>;
  removeAllSessions(): Promise<void>;
  removeExpiredSessions(now: number): Promise<void>;
}

export interface AccessPolicy extends OriginPolicy {
  adminPassword: string | undefined;
  apiKeys: readonly string[];
  openWebUiSecret: string | undefined;
}

/** What a route asks for: `api` an API key, `page` a session, `either` one of them. */
export type Audience = 'api' | 'page' | 'either';

/** Kept in step with `trpc/session-cookie.ts`, which sets it. */
const SESSION_COOKIE = 'ivy_session';
const SESSION_MS = 30 * 24 * 3600 * 1000;

const LOCAL: Principal = { id: 'local', kind: 'local', role: 'admin', name: 'this machine' };

/** Who may do what. Called inside every handler and procedure; nothing is authorised elsewhere. */
export class Access {
  private readonly limiter = new LoginLimiter();

  constructor(
    private readonly store: AccessStore,
    /** Read for every request: the policy follows the configuration. */
    private readonly policy: () => AccessPolicy,
  ) {}

  /** The principal of a request; throws 401 or 403 with what is missing. `cors` where pages of allowed origins may ask. */
  async authorize(
    request: { method: string; headers: Headers },
    audience: Audience,
    { cors } = { cors: false },
  ): Promise<Principal> {
    const policy = this.policy();
    // Other origins are let in to the API only.
    checkOrigin(request, cors ? policy : { ...policy, corsOrigins: [] });
    if (audience !== 'page') {
      const key = await this.byKey(request.headers);
      if (key) return key;
    }
    if (await this.isOpen(audience, policy)) return LOCAL;
    if (audience !== 'api') {
      const session = await this.bySession(request.headers);
      if (session) return session;
    }
    throw audience === 'page'
      ? new AppError('invalid_api_key', 'Please sign in.')
      : new AppError('invalid_api_key', 'An API key is required: send it as "Authorization: Bearer …".');
  }

  /** Starts a session; throws 401 for a wrong password and 429 while locked. */
  async login(
    request: { method: string; headers: Headers },
    password: string,
  ): Promise<{ token: string; maxAgeSeconds: number }> {
    const policy = this.policy();
    checkOrigin(request, policy);
    if (!policy.adminPassword) {
      throw new AppError('permission_denied', 'No password is set. Set IVY_ADMIN_PASSWORD in .env to sign in.');
    }
    this.limiter.check();
    if (!sameSecret(password, policy.adminPassword)) {
      this.limiter.failed();
      throw new AppError('invalid_api_key', 'This password is not right.');
    }
    this.limiter.succeeded();
    const token = randomBytes(32).toString('base64url');
    const now = Date.now();
    await this.store.removeExpiredSessions(now);
    await this.store.addSession(digest(token), now + SESSION_MS);
    return { token, maxAgeSeconds: SESSION_MS / 1000 };
  }

  async logout(request: { method: string; headers: Headers }): Promise<void> {
    checkOrigin(request, this.policy());
    const token = sessionToken(request.headers);
    if (token) await this.store.removeSession(digest(token));
  }

  /** True when pages ask for a sign-in. */
  get signInRequired(): boolean {
    const { loopback, adminPassword } = this.policy();
    return !loopback || adminPassword !== undefined;
  }

  /** True when `/v1` asks for a key. */
  get keyRequired(): boolean {
    const { loopback, apiKeys } = this.policy();
    return !loopback || apiKeys.length > 0;
  }

  /** Makes the keys of the configuration valid and those withdrawn from it invalid. */
  async syncKeys(keys: readonly string[]): Promise<void> {
    await this.store.syncKeys(
      keys.map((key, index) => {
        const hash = digest(key);
        const name = `IVY_API_KEYS ${index + 1}`;
        return { id: `key_${hash.slice(0, 16)}`, name, hint: key.slice(-4), digest: hash };
      }),
    );
  }

  keys(): Promise<KeyInfo[]> {
    return this.store.keys();
  }

  /** Throws 404 when there is no such key. */
  async setKey(id: string, settings: KeySettings): Promise<void> {
    if (await this.store.setKey(id, settings)) return;
    throw new AppError('not_found', 'This key does not exist any more.');
  }

  /** After the password changed nobody stays signed in with the old one. */
  async endAllSessions(): Promise<void> {
    await this.store.removeAllSessions();
  }

  /**
   * On loopback nothing is asked for that was not set: a password closes the pages, keys close the API.
   * So a proxy on the same machine, whose requests look local, publishes nothing that has a credential.
   */
  private async isOpen(audience: Audience, policy: AccessPolicy): Promise<boolean> {
    if (!policy.loopback) return false;
    return audience === 'api' ? (await this.store.keyCount()) === 0 : policy.adminPassword === undefined;
  }

  private async byKey(headers: Headers): Promise<Principal | undefined> {
    const key = /^bearer\s+(\S+)\s*$/i.exec(headers.get('authorization') ?? '')?.[1];
    if (!key) return undefined;
    const stored = await this.store.keyByDigest(digest(key));
    if (stored) {
      const { id, name, citations, trustsUsers, collections } = stored;
      const user = forwardedUser(headers, { plain: trustsUsers, secret: this.policy().openWebUiSecret });
      return {
        id,
        kind: 'key',
        role: 'member',
        name,
        ...(citations && { citations }),
        ...(user && { user }),
        ...(collections && { collections }),
      };
    }
    // While no key exists, many clients still send a made-up one.
    if (this.policy().loopback && (await this.store.keyCount()) === 0) return undefined;
    throw new AppError('invalid_api_key', 'This API key is not valid.');
  }

  private async bySession(headers: Headers): Promise<Principal | undefined> {
    const token = sessionToken(headers);
    if (!token || !(await this.store.sessionExists(digest(token), Date.now()))) return undefined;
    return { id: 'admin', kind: 'session', role: 'admin', name: 'admin' };
  }
}

function sessionToken(headers: Headers): string | undefined {
  const cookies = headers.get('cookie') ?? '';
  for (const pair of cookies.split(';')) {
    const [name, value] = pair.trim().split('=');
    if (name === SESSION_COOKIE && value) return value;
  }
  return undefined;
}
