import { createHash, randomBytes } from 'node:crypto';
import express, { type Request, type RequestHandler, Router } from 'express';
import { loginPage } from './login-page.js';
import { findPerson, numberOf, type ProviderPerson, type ProviderSettings } from './people.js';

interface Code {
  readonly person: ProviderPerson;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly challenge: string | undefined;
}

/** OAuth2 as GitHub does it: no discovery, no ID token, numbers as ids, the address at an endpoint of its own. */
export function createGitHubShapedProvider({ people, oauth2Clients }: ProviderSettings): RequestHandler {
  const codes = new Map<string, Code>();
  const tokens = new Map<string, ProviderPerson>();
  const form = express.urlencoded({ extended: false });
  const name = 'DevHub';
  const router = Router();

  const asked = (request: Request) => {
    const { client_id, redirect_uri, state, code_challenge } = request.query;
    const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
    const client = oauth2Clients.find(({ clientId }) => clientId === client_id);
    const redirectUri = client && client.redirectUri === redirect_uri ? client.redirectUri : undefined;
    return { client, redirectUri, state: text(state), challenge: text(code_challenge) };
  };

  router.get('/login/oauth/authorize', (request, response) => {
    const { redirectUri } = asked(request);
    if (redirectUri === undefined) {
      response.status(404).type('html').send('<h1>Unknown application</h1>');
      return;
    }
    response.type('html').send(loginPage({ name }));
  });
  router.post('/login/oauth/authorize', form, (request, response) => {
    const { client, redirectUri, state, challenge } = asked(request);
    if (!client || redirectUri === undefined) {
      response.status(404).end();
      return;
    }
    const fields = request.body as Record<string, unknown>;
    const person = findPerson(people, fields);
    if (!person) {
      const email = String(fields['email']);
      response
        .status(422)
        .type('html')
        .send(loginPage({ name, email, problem: true }));
      return;
    }
    const code = randomBytes(20).toString('hex');
    codes.set(code, { person, clientId: client.clientId, redirectUri, challenge });
    const parameters = new URLSearchParams({ code, ...(state !== undefined && { state }) });
    response.redirect(303, `${redirectUri}?${parameters.toString()}`);
  });

  router.post('/login/oauth/access_token', form, (request, response) => {
    const fields = request.body as Record<string, string>;
    const client = oauth2Clients.find(
      ({ clientId, clientSecret }) => clientId === fields['client_id'] && clientSecret === fields['client_secret'],
    );
    if (!client) {
      response.json({ error: 'incorrect_client_credentials' });
      return;
    }
    const code = codes.get(fields['code'] ?? '');
    codes.delete(fields['code'] ?? '');
    const verifier = createHash('sha256')
      .update(fields['code_verifier'] ?? '')
      .digest('base64url');
    const fits = code?.clientId === client.clientId && code.redirectUri === fields['redirect_uri'];
    if (!code || !fits || (code.challenge !== undefined && code.challenge !== verifier)) {
      response.json({ error: 'bad_verification_code' });
      return;
    }
    const token = `gho_${randomBytes(24).toString('hex')}`;
    tokens.set(token, code.person);
    response.json({ access_token: token, token_type: 'bearer', scope: 'read:user,user:email' });
  });

  const personOf = (request: Request) => tokens.get((request.get('authorization') ?? '').replace(/^Bearer /i, ''));
  router.get('/user', (request, response) => {
    const person = personOf(request);
    if (!person) {
      response.status(401).json({ message: 'Bad credentials' });
      return;
    }
    const login = person.email.split('@', 1)[0];
    response.json({ id: numberOf(person), login, name: person.displayName, email: null });
  });
  router.get('/user/emails', (request, response) => {
    const person = personOf(request);
    if (!person) {
      response.status(401).json({ message: 'Bad credentials' });
      return;
    }
    const noreply = `${numberOf(person)}@users.noreply.devhub.example`;
    response.json([
      { email: noreply, primary: false, verified: true, visibility: null },
      { email: person.email, primary: true, verified: true, visibility: 'private' },
    ]);
  });
  return router;
}
