import { Router } from 'express';
import type { Container } from '../container.js';

/** What lies below the issuers, and their metadata; mounted before any body parser. */
export function createAuthorizationServer(_container: Container): Router {
  return Router();
}
