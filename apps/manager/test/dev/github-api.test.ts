import { describe, expect, test } from '@jest/globals';
import express from 'express';
import request from 'supertest';
import { createGitHubApi } from '../../src/dev/github-api.js';

const repository = { name: 'website', description: '', private: true, language: 'Go' };
const app = express().use(
  '/github',
  createGitHubApi([
    { token: 'ghp_one', login: 'one', repositories: [repository] },
    { token: 'ghp_two', login: 'two', repositories: [] },
  ]),
);

describe('the development API', () => {
  test.each([
    undefined,
    'ghp_one',
    'Bearer ',
    'Bearer ghp_three',
    'Basic Z2hwX29uZTo=',
    'Bearer ghp_one, Bearer ghp_two',
  ])('answers 401 to the authorization %j, whatever the path, and does not repeat it', async (authorization) => {
    for (const path of ['/github/user', '/github/user/repos', '/github/none']) {
      const asking = request(app).get(path);
      const answer = await (authorization === undefined ? asking : asking.set('authorization', authorization));
      expect(answer.status).toBe(401);
      expect(answer.body).toEqual({
        message: authorization === undefined ? 'Requires authentication' : 'Bad credentials',
      });
      expect(JSON.stringify(answer.headers)).not.toContain('ghp_');
    }
  });

  test('shows each token what is its own, and never a token', async () => {
    const ask = (path: string, token: string) => request(app).get(path).set('authorization', `Bearer ${token}`);
    const one = await ask('/github/user/repos', 'ghp_one');
    expect(one.body).toMatchObject([{ full_name: 'one/website', owner: { login: 'one' }, private: true }]);
    expect((await ask('/github/user/repos', 'ghp_two')).body).toEqual([]);
    expect((await ask('/github/user', 'ghp_two')).body).toMatchObject({ login: 'two' });
    expect(one.text + JSON.stringify(one.headers)).not.toContain('ghp_');
    expect((await ask('/github/none', 'ghp_one')).status).toBe(404);
  });
});
