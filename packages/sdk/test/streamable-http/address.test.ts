import { expect, test } from '@jest/globals';
import { addressOf } from '../../src/streamable-http/address.js';

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:DB8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::9', '2001:db8:0:0'],
  ['2001:db8::', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
])('%s counts as %s', (ip, expected) => {
  expect(addressOf({ ip, socket: {} } as never)).toBe(expected);
  expect(addressOf({ socket: { remoteAddress: ip } } as never)).toBe(expected);
});
