import { z } from 'zod';

// oxlint-disable-next-line no-control-regex -- control characters are what it refuses
const printable = /^[^\u0000-\u001f\u007f]+$/u;

/** The name of a role, group, scope, resource or permission: data, compared code point by code point. */
export const nameSchema = z.string().min(1).max(200).regex(printable, 'control characters are not allowed');

export const namesSchema = z.array(nameSchema).max(20_000);

/** 128 random bits or more, base64url: the `session_id` of an in-band login (the `mcp_session` claim). */
export const mcpSessionSchema = z.string().regex(/^[A-Za-z0-9_-]{22,128}$/);

export const sidSchema = z.string().regex(/^[A-Za-z0-9_-]{10,128}$/);

export const tenantIdSchema = z.string().regex(/^[a-z][a-z0-9-]{1,39}$/);

/** RFC 3339, UTC. */
export const timestampSchema = z.iso.datetime();
