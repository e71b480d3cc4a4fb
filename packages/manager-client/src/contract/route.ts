import type { z } from 'zod';
import type { WireCode } from './problem.js';

/**
 * Who may call a route. `owner`: an application with a client-credentials token, for its own things only.
 * `session`: beside it a public client, with the token of one in-band login, for that session only.
 * `permission`: a person or machine whose role in the tenant's tables gives it.
 * `system`: the permission counts only in the tenant that the master flags as the system tenant.
 */
export type Access =
  | { owner: true; session?: true; permission?: AuthSecPermission; system?: never }
  | { owner?: never; session?: never; permission: AuthSecPermission; system?: boolean };

export type AuthSecPermission = `authsec:${string}:${string}`;

type None = z.ZodUndefined;

/** One endpoint of the Manager's API: its path below the API's base URL (`:name` is a parameter) and its shapes. */
export interface Route<
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: `/v1/${string}`;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Absent where the answer is 204. */
  readonly response?: R;
  readonly status: 200 | 201 | 204;
  /** What the answer is instead where the call made something new. */
  readonly createdStatus?: 201;
  /** The largest body that it reads; 64 KiB unless said. */
  readonly maxBodyBytes?: number;
  readonly errors: readonly WireCode[];
  readonly access: Access;
}

/** Keeps the literal and schema types of a route definition. */
export function route<
  P extends z.ZodType = None,
  Q extends z.ZodType = None,
  B extends z.ZodType = None,
  R extends z.ZodType = z.ZodVoid,
>(definition: Route<P, Q, B, R>): Route<P, Q, B, R> {
  return definition;
}
