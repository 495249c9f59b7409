import type { Database } from './database';

type Values = Partial<Record<string, string>>;
const ADMIN = 'admin:';
const ENV_DIGESTS = 'env-digests';

/** Settings that outlive a restart: values of the admin page and small facts of the product itself. */
export class SettingsRepository {
  constructor(private readonly database: Database) {}

  async adminValues(): Promise<Values> {
    const rows = await this.database.selectFrom('settings').selectAll().where('name', 'like', `${ADMIN}%`).execute();
    return Object.fromEntries(rows.map((row) => [row.name.slice(ADMIN.length), row.value]));
  }

  async setAdminValue(variable: string, value: string | undefined): Promise<void> {
    if (value === undefined) await this.remove(ADMIN + variable);
    else await this.set(ADMIN + variable, value);
  }

  async envDigests(): Promise<Values> {
    return JSON.parse((await this.get(ENV_DIGESTS)) ?? '{}');
  }

  async setEnvDigests(digests: Values): Promise<void> {
    await this.set(ENV_DIGESTS, JSON.stringify(digests));
  }

  async get(name: string): Promise<string | undefined> {
    const row = await this.database.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst();
    return row?.value;
  }

  async set(name: string, value: string): Promise<void> {
    const row = { name, value, updated_at: Date.now() };
    await this.database
      .insertInto('settings')
      .values(row)
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value, updated_at: row.updated_at }))
      .execute();
  }

  async remove(name: string): Promise<void> {
    await this.database.deleteFrom('settings').where('name', '=', name).execute();
  }
}
