import { createHash } from 'node:crypto';
import { type Request, type RequestHandler, Router } from 'express';

/** Whose token it is, and what it may see. */
export interface GitHubAccount {
  readonly token: string;
  /** The organisation. */
  readonly login: string;
  readonly repositories: readonly GitHubRepository[];
}

export interface GitHubRepository {
  readonly name: string;
  readonly description: string;
  readonly private: boolean;
  readonly language: string;
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex');

/** An API for tools to call, in the shape of GitHub's REST API: `/user` and `/user/repos`, for a bearer token only. */
export function createGitHubApi(accounts: readonly GitHubAccount[]): RequestHandler {
  const byToken = new Map(accounts.map((account) => [digest(account.token), account]));
  const router = Router();
  const accountOf = (request: Request) => {
    const [, token] = /^Bearer (.+)$/i.exec(request.get('authorization') ?? '') ?? [];
    return token === undefined ? undefined : byToken.get(digest(token));
  };
  router.use((request, response, next) => {
    if (accountOf(request)) return next();
    const message = request.get('authorization') === undefined ? 'Requires authentication' : 'Bad credentials';
    response.status(401).set('www-authenticate', 'Bearer').json({ message });
  });
  router.get('/user', (request, response) => {
    const login = accountOf(request)?.login ?? '';
    response.json({ id: idOf(login), login, type: 'Organization' });
  });
  router.get('/user/repos', (request, response) => {
    const { login, repositories } = accountOf(request) as GitHubAccount;
    const owner = { id: idOf(login), login };
    response.json(
      repositories.map((repository) => {
        const full_name = `${login}/${repository.name}`;
        return { id: idOf(full_name), full_name, owner, ...repository };
      }),
    );
  });
  router.use((_request, response) => void response.status(404).json({ message: 'Not Found' }));
  return router;
}

/** GitHub's ids are numbers; the same at each start. */
function idOf(name: string): number {
  return Number.parseInt(digest(name).slice(0, 8), 16);
}
