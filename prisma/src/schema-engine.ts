import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, DriverAdapterError } from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';
import { Client, DatabaseError, Pool } from 'pg';

/** Only what is used of it: it is in no library file that this package compiles with. */
declare const WebAssembly: {
  instantiate(
    bytes: Uint8Array,
    imports: Record<string, object>,
  ): Promise<{ instance: { exports: Record<string, () => void> } }>;
};

type Bindings = typeof import('@prisma/schema-engine-wasm/schema_engine_bg');

let bindings: Promise<Bindings> | undefined;

/** Prisma's schema engine on one connection, which the caller owns: the transaction begun there holds all that it does. */
export async function createSchemaEngine(client: Client): Promise<SchemaEngine> {
  bindings ??= loadBindings();
  const { SchemaEngine } = await bindings;
  return SchemaEngine.new(
    { datamodels: undefined },
    () => {},
    bindMigrationAwareSqlAdapterFactory(new OneConnection(client)),
  );
}

async function loadBindings(): Promise<Bindings> {
  const bg = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const path = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const { instance } = await WebAssembly.instantiate(await readFile(path.replace(/\.js$/, '.wasm')), {
    './schema_engine_bg.js': Object.fromEntries(
      Object.entries(bg).map(([name, value]) => [name, unrefTimer(name, value)]),
    ),
  });
  bg.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start?.();
  return bg;
}

/** The engine leaves the timers of its lock's timeout behind: they must not keep a process alive. */
function unrefTimer(name: string, binding: unknown): unknown {
  if (!name.startsWith('__wbg_setTimeout')) return binding;
  return (callback: () => void, delayMs: number) => setTimeout(callback, delayMs >>> 0).unref();
}

/** PrismaPg wants a pool, replaces broken connections and cuts scripts at each `;`: all three would break a migration. */
class OneConnection extends PrismaPg {
  constructor(private readonly client: Client) {
    super(Object.assign(new Pool({ max: 0 }), { query: client.query.bind(client) }));
  }

  override async connect() {
    const adapter = await super.connect();
    adapter.executeScript = async (script) => {
      // After a failed statement the engine wants to write why it failed; the caller's transaction must allow that.
      await this.client.query('SAVEPOINT script');
      try {
        await this.client.query(script);
      } catch (error) {
        await this.client.query('ROLLBACK TO SAVEPOINT script');
        throw scriptError(error);
      }
    };
    return adapter;
  }
}

function scriptError(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) return error;
  const { code = 'N/A', severity = 'ERROR', message, detail, column, hint } = error;
  return new DriverAdapterError({ kind: 'postgres', code, severity, message, detail, column, hint });
}
