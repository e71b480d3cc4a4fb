import { Client, Pool } from 'pg';
import type { Logger } from 'pino';
import type { Secret } from '../config/secret.js';
import { outsideRequest } from '../ports/current-request.js';
import type { EventBus } from '../ports/event-bus.js';

const channel = 'authsec_changes';

export interface PostgresEventBusOptions {
  readonly databaseUrl: Secret;
  readonly logger: Logger;
  readonly firstRetryMs?: number;
  readonly lastRetryMs?: number;
}

/**
 * NOTIFY and LISTEN on the master database, so that every replica hears of it. After a lost connection everyone is
 * woken, since what was said meanwhile is gone.
 */
export async function createPostgresEventBus(options: PostgresEventBusOptions): Promise<EventBus> {
  const { databaseUrl, logger, firstRetryMs = 100, lastRetryMs = 5_000 } = options;
  const pool = new Pool({
    connectionString: databaseUrl.reveal(),
    max: 1,
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
    allowExitOnIdle: true,
  });
  pool.on('error', (err) =>
    outsideRequest(() => logger.warn({ err }, 'event bus: the publishing connection was lost')),
  );
  const listeners = new Map<string, Set<() => void>>();
  let closed = false;
  let listening: Client | undefined;
  let retry: NodeJS.Timeout | undefined;

  const wake = (tenantId: string) => {
    for (const listener of listeners.get(tenantId) ?? []) listener();
  };
  const wakeEveryone = () => [...listeners.keys()].forEach(wake);

  async function listen(): Promise<void> {
    const client = new Client({
      connectionString: databaseUrl.reveal(),
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
      application_name: 'authsec-event-bus',
    });
    let lost = false;
    const onLost = (error?: Error) => {
      if (lost) return;
      lost = true;
      void end(client);
      if (closed) return;
      logger.warn({ err: error ?? new Error('connection ended') }, 'event bus: the listening connection was lost');
      reconnect(firstRetryMs);
    };
    client.on('error', onLost);
    client.on('end', () => onLost());
    client.on('notification', (message) => {
      if (message.payload) wake(message.payload);
    });
    try {
      await client.connect();
      await client.query(`LISTEN ${channel}`);
    } catch (error) {
      lost = true;
      void end(client);
      throw error;
    }
    if (closed) await client.end();
    listening = client;
  }

  function reconnect(delayMs: number): void {
    retry = setTimeout(() => {
      listen().then(wakeEveryone, () => {
        if (!closed) reconnect(Math.min(delayMs * 2, lastRetryMs));
      });
    }, delayMs);
    retry.unref();
  }

  await listen();
  return {
    async publish(tenantId) {
      try {
        await pool.query('SELECT pg_notify($1, $2)', [channel, tenantId]);
      } catch (error) {
        logger.warn({ err: error, tenant: tenantId }, 'event bus: a change could not be published');
        wake(tenantId);
      }
    },
    subscribe(tenantId, listener) {
      const entry = () => listener();
      const set = listeners.get(tenantId) ?? new Set();
      listeners.set(tenantId, set.add(entry));
      return () => {
        set.delete(entry);
        if (set.size === 0 && listeners.get(tenantId) === set) listeners.delete(tenantId);
      };
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      listeners.clear();
      await Promise.all([listening && end(listening), pool.end()]);
    },
  };
}

async function end(client: Client): Promise<void> {
  try {
    await client.end();
  } catch {
    // It was lost already.
  }
}
