import { type Config, isLoopbackHost, toConfig, type Variable, variableNames, variables } from './schema';

/** Where a value comes from; later layers win. */
export type Source = 'default' | '.env' | 'environment' | 'admin page';

export type RawValues = Partial<Record<string, string>>;

export interface Layers {
  /** Defaults of a packaged installation (compose), below everything a person sets. */
  packaged?: RawValues;
  envFile: RawValues;
  /** The launcher's environment, as it was before anything loaded `.env` into it. */
  environment: RawValues;
  admin: RawValues;
}

export interface Problem {
  variable: Variable;
  source: Source;
  /** What is wrong and what to do, without the value: it may be a secret. */
  message: string;
}

export type Resolved =
  | { ok: true; config: Config; sources: Readonly<Record<Variable, Source>> }
  | { ok: false; problems: readonly Problem[] };

/** Merges the layers and validates the result as a whole. An empty value counts as absent. */
export function resolveConfig(layers: Layers): Resolved {
  const order: [Source, RawValues][] = [
    ['admin page', layers.admin],
    ['environment', layers.environment],
    ['.env', layers.envFile],
    ['default', layers.packaged ?? {}],
  ];
  const values: Record<string, unknown> = {};
  const sources = {} as Record<Variable, Source>;
  const problems: Problem[] = [];
  for (const variable of variableNames) {
    sources[variable] = 'default';
    for (const [source, raw] of order) {
      const text = raw[variable]?.trim();
      if (text === undefined || text === '') continue;
      sources[variable] = source;
      const parsed = variables[variable].safeParse(text);
      if (parsed.success) values[variable] = parsed.data;
      else
        problems.push({ variable, source, message: `${variable} ${parsed.error.issues[0]?.message ?? 'is invalid'}` });
      break;
    }
  }
  if (problems.length > 0) return { ok: false, problems };
  const config = toConfig(values);
  const open = checkNetworkBind(config);
  return open ? { ok: false, problems: [{ ...open, source: sources.HOST }] } : { ok: true, config, sources };
}

/** Ivy never starts open on a network address. */
function checkNetworkBind(config: Config): Omit<Problem, 'source'> | undefined {
  if (isLoopbackHost(config.host) || config.apiKeys.length > 0 || config.adminPassword) return undefined;
  return {
    variable: 'HOST',
    message:
      `HOST=${config.host} would open Ivy to the network without any credential. ` +
      'Set IVY_ADMIN_PASSWORD (for the pages) or IVY_API_KEYS (for clients) in .env, or remove HOST.',
  };
}
