import { setTimeout as delay } from 'node:timers/promises';
import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { createLogger } from '../../src/integrations/logger.js';
import { currentRequest, noteFacts, outsideRequest, runForRequest } from '../../src/ports/current-request.js';

const lines: Record<string, unknown>[] = [];
const sink = new Writable({
  write(chunk, _encoding, done) {
    lines.push(JSON.parse(String(chunk)) as Record<string, unknown>);
    done();
  },
});
const logger = createLogger('info', sink);

test('each line says which request it belongs to, and requests that run at once are not mixed up', async () => {
  const answer = (id: string) =>
    runForRequest({ request_id: id }, async () => {
      await delay(1);
      noteFacts({ tenant: `tenant-of-${id}` });
      logger.info('before');
      await delay(1);
      noteFacts({ decision_id: `decision-of-${id}` });
      logger.child({ part: 'x' }).info('after');
    });
  await Promise.all(['a', 'b', 'c'].map(answer));
  for (const id of ['a', 'b', 'c']) {
    const own = lines.filter((line) => line['request_id'] === id);
    expect(own).toMatchObject([
      { msg: 'before', tenant: `tenant-of-${id}` },
      { msg: 'after', part: 'x', tenant: `tenant-of-${id}`, decision_id: `decision-of-${id}` },
    ]);
    expect(own[0]).not.toHaveProperty('decision_id');
  }
});

test('a line that belongs to none says so, also where a request set it off', () => {
  lines.length = 0;
  logger.info('at start');
  runForRequest({ request_id: 'a', tenant: 'acme' }, () => outsideRequest(() => logger.info('a connection was lost')));
  noteFacts({ tenant: 'nobody', decision_id: 'none' });
  expect(lines.map(({ request_id, tenant }) => [request_id, tenant])).toEqual([
    [undefined, undefined],
    [undefined, undefined],
  ]);
  expect(currentRequest()).toBeUndefined();
});

test('what is said in a line itself comes before what is known of the request', () => {
  lines.length = 0;
  runForRequest({ request_id: 'a', tenant: 'acme' }, () => logger.info({ tenant: 'globex' }, 'of another'));
  expect(lines).toMatchObject([{ request_id: 'a', tenant: 'globex' }]);
});
