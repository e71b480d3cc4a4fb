import { z } from 'zod';

/** SHA-256, base64url. */
export const digestSchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
