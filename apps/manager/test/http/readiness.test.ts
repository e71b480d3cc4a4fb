import { describe, expect, test } from '@jest/globals';
import express from 'express';
import request from 'supertest';
import { createHealthRoutes, type HealthProbes } from '../../src/http/health-routes.js';

const never = new AbortController().signal;
const well: HealthProbes = { database: async () => 1, secretStore: () => ({ status: 'ok' }), stopping: never };
const ask = (probes: Partial<HealthProbes> = {}, path = '/readyz') =>
  request(express().use(createHealthRoutes({ ...well, ...probes }))).get(path);

describe('/readyz', () => {
  test('200, and how each thing is that it needs', async () => {
    const { status, body, headers } = await ask();
    expect(status).toBe(200);
    expect(body).toEqual({ status: 'ready', dependencies: { database: 'ok', secret_store: 'ok' } });
    expect(headers['cache-control']).toBe('no-store');
  });

  test('200 while the secret store is degraded, with the reason: who needs no secret is served', async () => {
    const { status, body } = await ask({ secretStore: () => ({ status: 'degraded', reason: 'sealed' }) });
    expect(status).toBe(200);
    expect(body).toEqual({
      status: 'ready',
      dependencies: { database: 'ok', secret_store: 'degraded' },
      reasons: { secret_store: 'sealed' },
    });
  });

  test('503 while the database is down, without what it said', async () => {
    const database = async () => Promise.reject(new Error('password canary'));
    const { status, body } = await ask({ database });
    expect(status).toBe(503);
    expect(body).toEqual({
      status: 'not_ready',
      dependencies: { database: 'down', secret_store: 'ok' },
      reasons: { database: 'does not answer' },
    });
  });

  test('503 in time where the database hangs', async () => {
    const { status, body } = await ask({ database: () => new Promise(() => {}), databaseTimeoutMs: 50 });
    expect(status).toBe(503);
    expect(body.dependencies.database).toBe('down');
  });

  test('503 once it stops', async () => {
    const { status, body } = await ask({ stopping: AbortSignal.abort() });
    expect(status).toBe(503);
    expect(body.reasons).toEqual({ manager: 'stopping' });
  });

  test('/healthz is 200 whatever else is down', async () => {
    const database = async () => Promise.reject(new Error('down'));
    expect((await ask({ database, stopping: AbortSignal.abort() }, '/healthz')).status).toBe(200);
  });
});
