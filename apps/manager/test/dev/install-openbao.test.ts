import { expect, test } from '@jest/globals';
import { DevError } from '../../src/dev/dev-error.js';
import { installOpenBao } from '../../src/dev/install-openbao.js';

test('without Python --vault says what is missing and what else there is, and that nothing of it is needed', async () => {
  const problem = await installOpenBao({ PATH: '/nonexistent' }).catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(DevError);
  const { message } = problem as DevError;
  for (const word of ['python3', 'AUTHSEC_BAO_PATH', 'VAULT_ADDR', 'Without --vault']) expect(message).toContain(word);
});
