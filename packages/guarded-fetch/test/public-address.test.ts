import { describe, expect, test } from '@jest/globals';
import { mayConnectTo, rangeOf } from '../src/public-address.js';

describe('an address that is not public', () => {
  test.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::127.0.0.1',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:10::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '2002:808:808::',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '4000::1',
    'localhost',
    '127.1',
    '',
    '1.2.3.4.5',
  ])('%s is not connected to', (address) => {
    expect(mayConnectTo(address, { allowPrivate: false })).toBe(false);
  });

  test.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.32.0.1',
    '100.128.0.1',
    '192.167.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001::1',
    '::ffff:8.8.8.8',
  ])('%s is public', (address) => {
    expect(mayConnectTo(address, { allowPrivate: false })).toBe(true);
  });

  test('an operator who allows private ones still does not open cloud metadata, multicast and the like', () => {
    const allow = (address: string) => mayConnectTo(address, { allowPrivate: true });
    expect(['127.0.0.1', '10.0.0.1', '100.64.0.1', '::1', 'fd00::1', '::ffff:127.0.0.1'].map(allow)).toEqual(
      Array(6).fill(true),
    );
    const never = [
      '169.254.169.254',
      '168.63.129.16',
      '224.0.0.1',
      '0.0.0.0',
      '255.255.255.255',
      'fe80::1',
      '64:ff9b::a00:1',
      '2002:a00:1::',
    ];
    expect(never.filter(allow)).toEqual([]);
    expect(rangeOf('169.254.169.254')).toBe('linkLocal');
  });
});
