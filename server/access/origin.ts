import { AppError } from '../core/errors';

export interface OriginPolicy {
  /** True when only this machine can connect; then the Host header is what stops DNS rebinding. */
  loopback: boolean;
  publicUrl: string;
  allowedHosts: readonly string[];
  corsOrigins: readonly string[];
}

/** Refuses requests that a web page elsewhere could make a browser send. Clients that are no browsers pass. */
export function checkOrigin(request: { method: string; headers: Headers }, policy: OriginPolicy): void {
  const host = request.headers.get('host') ?? '';
  if (policy.loopback && !isAllowedHost(host, policy)) {
    throw new AppError(
      'permission_denied',
      'This host name is not allowed. Open Ivy by its loopback address, or add the name to IVY_ALLOWED_HOSTS.',
    );
  }
  if (request.method === 'GET' || request.method === 'HEAD' || request.method === 'OPTIONS') return;
  const origin = request.headers.get('origin');
  if (origin !== null) {
    if (isAllowedOrigin(origin, host, policy)) return;
    throw new AppError('permission_denied', 'Requests from this web origin are not allowed. See IVY_CORS_ORIGINS.');
  }
  const site = request.headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin' && site !== 'none') {
    throw new AppError('permission_denied', 'Requests from other web sites are not allowed. See IVY_CORS_ORIGINS.');
  }
}

function isAllowedHost(host: string, policy: OriginPolicy): boolean {
  const name = hostName(host);
  if (name === undefined) return false;
  return (
    name === 'localhost' ||
    name === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(name) ||
    name === new URL(policy.publicUrl).hostname ||
    policy.allowedHosts.includes(name)
  );
}

/** Host name of a Host header; undefined unless it is just a name or address with an optional port. */
function hostName(host: string): string | undefined {
  return /^([a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase();
}

function isAllowedOrigin(origin: string, host: string, policy: OriginPolicy): boolean {
  if (policy.corsOrigins.includes(origin)) return true;
  if (!URL.canParse(origin)) return false;
  const parsed = new URL(origin);
  return parsed.host === host.toLowerCase() || parsed.origin === new URL(policy.publicUrl).origin;
}
