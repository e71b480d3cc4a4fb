import { Pool } from 'pg';
import type { Logger } from 'pino';
import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import type { Secret } from '../config/secret.js';
import { hashIdentifier } from '../db/hash-identifier.js';
import { AppError } from '../errors/app-error.js';
import { outsideRequest } from '../ports/current-request.js';
import type { RateLimits } from '../ports/rate-limits.js';

export interface PostgresRateLimitsOptions {
  readonly databaseUrl: Secret;
  readonly logger: Logger;
  /** Told of each refusal, by the name of the limit. */
  readonly onRefused?: (name: string) => void;
}

/** A point that is returned later than this before the end of its window might be taken off the next one. */
const longestWriteMs = 5_000;

/** Counts in the master's table `rate_limits`, in memory while that cannot be reached. */
export function createPostgresRateLimits(options: PostgresRateLimitsOptions): RateLimits {
  const { databaseUrl, logger, onRefused } = options;
  const pool = new Pool({
    connectionString: databaseUrl.reveal(),
    max: 2,
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
    allowExitOnIdle: true,
  });
  pool.on('error', (err) =>
    outsideRequest(() => logger.warn({ err }, 'rate limits: the database connection was lost')),
  );
  return {
    create(name, { points, windowSeconds }) {
      const insurance = new RateLimiterMemory({ keyPrefix: name, points, duration: windowSeconds });
      const limiter = new RateLimiterPostgres({
        storeClient: pool,
        storeType: 'pool',
        tableName: 'rate_limits',
        tableCreated: true,
        keyPrefix: name,
        points,
        duration: windowSeconds,
        insuranceLimiter: insurance,
        // A key that is far over its budget is refused from memory until the end of its window, without a write for each
        // attempt. One that is a little over it may have points returned.
        inMemoryBlockOnConsumed: 2 * points,
      });
      async function take(key: string) {
        try {
          return await limiter.consume(key);
        } catch (error) {
          if (!(error instanceof RateLimiterRes)) throw error;
          onRefused?.(name);
          const seconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
          throw new AppError('rate_limited', `rate limit ${name} reached`, {
            headers: { 'Retry-After': String(seconds) },
          });
        }
      }
      return {
        async consume(key) {
          await take(hashIdentifier(key));
        },
        async borrow(key) {
          const hashed = hashIdentifier(key);
          const { msBeforeNext } = await take(hashed);
          const until = Date.now() + msBeforeNext - longestWriteMs;
          return async () => {
            if (Date.now() < until) await limiter.reward(hashed);
          };
        },
      };
    },
    close: () => pool.end(),
  };
}
