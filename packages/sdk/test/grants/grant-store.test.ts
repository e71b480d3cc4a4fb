import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { BoundLogin } from '../../src/grants/bound-login.js';
import { settle } from '../support/fake-clock.js';
import { active, changes, createStore } from '../support/fake-feed.js';

let { clock, store, polls, renewals } = createStore();
let noticed: string[] = [];

beforeEach(() => {
  ({ clock, store, polls, renewals } = createStore());
  noticed = [];
});
afterEach(() => {
  store.close();
  expect(clock.timers()).toBe(0);
});

const bind = (sid: string, change: Parameters<typeof active>[1] = {}) =>
  store.add(active(sid, change), store.sending(), () => noticed.push(sid));

/** Bound, with the place in the feed known and the renewal that it asks for answered. */
async function settled(sid: string, change: Parameters<typeof active>[1] = {}): Promise<BoundLogin> {
  const login = bind(sid, change);
  await settle();
  polls.at(-1)?.answer(changes('1.0', { held_ms: 0 }));
  await settle();
  renewals.at(-1)?.answer([active(sid, change)]);
  await clock.advance(100);
  noticed = [];
  return login;
}

const kind = (login: BoundLogin) => {
  const state = login.state();
  return state.kind === 'unjudgeable' ? state.code : state.kind;
};
const roles = (login: BoundLogin) => {
  const state = login.state();
  return state.kind === 'active' ? state.userInfo.roles : undefined;
};

describe('a lease', () => {
  test('is counted from when the request was sent, not from when the answer came', async () => {
    const sent = store.sending();
    await clock.advance(29_000);
    const login = store.add(active('s1'), sent, () => {});
    expect(kind(login)).toBe('active');
    await clock.advance(999);
    expect(kind(login)).toBe('active');
    await clock.advance(1);
    expect(kind(login)).toBe('policy_unavailable');
  });

  test('an answer that comes after its lease would have ended gives nothing', async () => {
    const sent = store.sending();
    await clock.advance(30_000);
    expect(kind(store.add(active('s1'), sent, () => {}))).toBe('policy_unavailable');
  });

  test('is as short as the Manager says, and no longer than the horizon', async () => {
    const short = bind('s1', { lease_seconds: 5 });
    const near = bind('s2', { lease_seconds: 30, horizon_seconds: 7 });
    const none = bind('s3', { lease_seconds: 0 });
    expect([kind(short), kind(near), kind(none)]).toEqual(['active', 'active', 'policy_unavailable']);
    await clock.advance(5_000);
    expect([kind(short), kind(near)]).toEqual(['policy_unavailable', 'active']);
    await clock.advance(2_000);
    expect(kind(near)).toBe('policy_unavailable');
  });

  test('a poll that found nothing changed extends it from when the Manager looked', async () => {
    const login = await settled('s1');
    const poll = polls.at(-1)!;
    expect(poll.after).toBe('1.0');
    await clock.advance(25_000);
    poll.answer(changes('1.0'));
    await clock.advance(29_999);
    expect(kind(login)).toBe('active');
    await clock.advance(1);
    expect(kind(login)).toBe('policy_unavailable');
  });

  test('a poll that claims to have been held longer than it took extends no further', async () => {
    const login = await settled('s1');
    await clock.advance(1_000);
    polls.at(-1)!.answer(changes('1.0', { held_ms: 1e9 }));
    await clock.advance(30_000);
    expect(kind(login)).toBe('policy_unavailable');
  });

  test('a poll that comes late extends nothing', async () => {
    const login = await settled('s1');
    await clock.advance(31_000);
    expect(kind(login)).toBe('policy_unavailable');
    polls.at(-1)!.answer(changes('1.0', { held_ms: 0 }));
    await settle();
    expect(kind(login)).toBe('policy_unavailable');
  });

  test('no poll extends it beyond the horizon, where it is renewed', async () => {
    const login = await settled('s1', { horizon_seconds: 40 });
    await clock.advance(25_000);
    polls.at(-1)!.answer(changes('1.0'));
    const before = renewals.length;
    await clock.advance(14_000);
    expect(kind(login)).toBe('active');
    await clock.advance(1_000);
    expect(kind(login)).toBe('policy_unavailable');
    expect(renewals).toHaveLength(before + 1);
    renewals.at(-1)!.answer([active('s1', { roles: [] })]);
    await settle();
    expect(roles(login)).toEqual([]);
  });

  test('where the poll never answers, renewals keep it', async () => {
    const login = await settled('s1');
    for (let time = 0; time < 10; time++) {
      const before = renewals.length;
      await clock.advance(27_500);
      expect(renewals).toHaveLength(before + 1);
      renewals.at(-1)!.answer([active('s1')]);
      await settle();
      expect(kind(login)).toBe('active');
    }
  });
});

describe('what changed', () => {
  test('a right taken away is gone when the poll that names the change is followed by the renewal', async () => {
    const login = await settled('s1');
    polls.at(-1)!.answer(changes('2.0', { policy_changed: true }));
    await settle();
    expect(renewals.at(-1)!.sids).toEqual(['s1']);
    renewals.at(-1)!.answer([active('s1', { roles: [], policy_version: '2' })]);
    await settle();
    expect(roles(login)).toEqual([]);
    expect(noticed).toEqual(['s1']);
  });

  test('a change that concerns others is not announced', async () => {
    await settled('s1');
    polls.at(-1)!.answer(changes('2.0', { policy_changed: true }));
    await settle();
    renewals.at(-1)!.answer([active('s1', { policy_version: '2' })]);
    await settle();
    expect(noticed).toEqual([]);
  });

  test('with the renewal failing, the old lease is the end of it: no poll extends what may have changed', async () => {
    const login = await settled('s1');
    polls.at(-1)!.answer(changes('2.0', { policy_changed: true }));
    await settle();
    renewals.at(-1)!.fail();
    await clock.advance(25_000);
    polls.at(-1)!.answer(changes('2.0'));
    await settle();
    for (const renewal of renewals) renewal.fail();
    await clock.advance(6_000);
    expect(kind(login)).toBe('policy_unavailable');
  });

  test('a change between the bind and the first place in the feed is not missed', async () => {
    const login = bind('s1');
    await settle();
    polls.at(-1)!.answer(changes('7.3', { held_ms: 0 }));
    await settle();
    expect(renewals).toHaveLength(1);
    renewals.at(0)!.answer([active('s1', { roles: [], policy_version: '7' })]);
    await settle();
    expect(roles(login)).toEqual([]);
  });

  test('a change that is named while a bind is under way is not missed', async () => {
    await settled('s1');
    const sent = store.sending();
    polls.at(-1)!.answer(changes('2.1', { policy_changed: true, ended: [{ sid: 's2', reason: 'revoked' }] }));
    await settle();
    const late = store.add(active('s2'), sent, () => {});
    renewals.at(-1)!.answer([active('s1', { policy_version: '2' })]);
    await settle();
    expect(renewals.at(-1)!.sids).toEqual(['s2']);
    renewals.at(-1)!.answer([{ status: 'ended', sid: 's2', reason: 'revoked' }]);
    await settle();
    expect(kind(late)).toBe('anonymous');
  });

  test('a session that ended is anonymous, announced, and asked for no more', async () => {
    const login = await settled('s1');
    const other = bind('s2');
    polls.at(-1)!.answer(changes('1.1', { ended: [{ sid: 's1', reason: 'revoked' }] }));
    await settle();
    expect(kind(login)).toBe('anonymous');
    expect(noticed).toEqual(['s1']);
    expect(kind(other)).toBe('active');
  });

  test.each(['logged_out', 'revoked', 'user_disabled', 'unknown'] as const)(
    'ended by a renewal as %s: anonymous',
    async (reason) => {
      const login = await settled('s1');
      polls.at(-1)!.answer(changes('2.0', { policy_changed: true }));
      await settle();
      renewals.at(-1)!.answer([{ status: 'ended', sid: 's1', reason }]);
      await settle();
      expect(kind(login)).toBe('anonymous');
      expect(noticed).toEqual(['s1']);
    },
  );

  test('whose grant ran out is told so, with what was shown before', async () => {
    const login = await settled('s1', { horizon_seconds: 10 });
    await clock.advance(10_000);
    renewals.at(-1)!.answer([{ status: 'ended', sid: 's1', reason: 'expired' }]);
    await settle();
    expect(login.state()).toMatchObject({
      kind: 'unjudgeable',
      code: 'session_expired',
      shownTo: { grants: { roles: ['admin'] } },
    });
    expect(noticed).toEqual(['s1']);
  });
});

describe('answers out of order', () => {
  test('a renewal under way cannot bring back a login that was ended here', async () => {
    const login = await settled('s1');
    polls.at(-1)!.answer(changes('2.0', { policy_changed: true }));
    await settle();
    store.remove(login);
    renewals.at(-1)!.answer([active('s1', { policy_version: '2' })]);
    await settle();
    expect(kind(login)).toBe('anonymous');
  });

  test('nor one that the Manager ended meanwhile', async () => {
    const login = await settled('s1');
    await clock.advance(27_300);
    const renewal = renewals.at(-1)!;
    polls.at(-1)!.answer(changes('1.1', { ended: [{ sid: 's1', reason: 'revoked' }] }));
    await settle();
    renewal.answer([active('s1')]);
    await settle();
    expect(kind(login)).toBe('anonymous');
  });

  test('an answer of an older policy, overtaken on its way, changes nothing', async () => {
    const sent = store.sending();
    await clock.advance(10);
    const login = await settled('s1', { roles: [], policy_version: '5' });
    expect(login.apply(active('s1', { roles: ['admin'], policy_version: '4' }), sent)).toBe(false);
    expect(roles(login)).toEqual([]);
    expect(login.apply(active('s1', { roles: ['admin'], policy_version: '5' }), sent)).toBe(false);
    expect(roles(login)).toEqual([]);
  });

  test('an answer asked for later counts, also where the version went back: the database was restored', async () => {
    const login = await settled('s1', { policy_version: '900' });
    await clock.advance(10);
    expect(login.apply(active('s1', { roles: [], policy_version: '1' }), store.sending())).toBe(true);
    expect(roles(login)).toEqual([]);
  });

  test('a renewal that is answered too late takes nothing from what a poll has confirmed since', async () => {
    const login = await settled('s1');
    await clock.advance(5);
    const sent = store.sending();
    await clock.advance(25_000);
    polls.at(-1)!.answer(changes('1.0'));
    await clock.advance(6_000);
    expect(login.apply(active('s1', { roles: ['late'] }), sent)).toBe(false);
    expect(roles(login)).toEqual(['admin']);
  });

  test('an answer about another person changes nothing', async () => {
    const login = await settled('s1');
    await clock.advance(10);
    expect(login.apply(active('s1', { sub: 'eve', roles: ['root'] }), store.sending())).toBe(false);
    expect(roles(login)).toEqual(['admin']);
  });
});

describe('the Manager away', () => {
  test('calls go on until the lease ends, then nothing is judged, and it comes back by itself', async () => {
    const login = await settled('s1');
    const failAll = () => {
      for (const asked of [...polls, ...renewals]) asked.fail();
    };
    failAll();
    for (let second = 0; second < 29; second++) {
      await clock.advance(1_000);
      failAll();
    }
    expect(kind(login)).toBe('active');
    for (let second = 0; second < 60; second++) {
      await clock.advance(1_000);
      failAll();
    }
    expect(kind(login)).toBe('policy_unavailable');
    const asked = polls.length;
    await clock.advance(11_000);
    expect(polls.length).toBeGreaterThan(asked);
    polls.at(-1)!.answer(changes('1.0', { held_ms: 0 }));
    await settle();
    expect(kind(login)).toBe('active');
  });

  test('it is asked less and less often, and not all at once', async () => {
    await settled('s1');
    const at: number[] = [];
    for (let time = 0; time < 8; time++) {
      const before = polls.length;
      polls.at(-1)!.fail();
      while (polls.length === before) await clock.advance(50);
      at.push(polls.at(-1)!.at);
    }
    const gaps = at.slice(1).map((time, index) => time - at.at(index)!);
    expect(gaps).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000]);
  });

  test('a Manager that answers every poll at once is not asked in a loop', async () => {
    await settled('s1');
    const before = polls.length;
    for (let time = 0; time < 100; time++) {
      polls.at(-1)!.answer(changes('1.0', { held_ms: 0 }));
      await clock.advance(100);
    }
    expect(polls.length - before).toBeLessThanOrEqual(11);
  });
});

describe('many logins', () => {
  test('one poll for all, renewed by 500', async () => {
    const logins = Array.from({ length: 1_201 }, (_, index) => bind(`s${index}`));
    await settle();
    expect(polls).toHaveLength(1);
    expect(renewals).toHaveLength(0);
    polls.at(0)!.answer(changes('1.0', { held_ms: 0 }));
    for (let batch = 0; batch < 3; batch++) {
      await settle();
      renewals.at(batch)!.answer(renewals.at(batch)!.sids.map((sid) => active(sid)));
    }
    await settle();
    expect(renewals.map(({ sids }) => sids.length)).toEqual([500, 500, 201]);
    expect(logins.every((login) => kind(login) === 'active')).toBe(true);
  });

  test('one session that spoils its batch does not take the others with it', async () => {
    const logins = Array.from({ length: 100 }, (_, index) => bind(`s${index}`));
    await settle();
    polls.at(0)!.answer(changes('1.0', { held_ms: 0 }));
    let answered = 0;
    for (let request = 0; request < 60; request++) {
      await settle();
      const renewal = renewals[answered];
      if (!renewal) break;
      answered++;
      if (renewal.sids.includes('s37')) renewal.fail('invalid_response', 200);
      else renewal.answer(renewal.sids.map((sid) => active(sid, { roles: ['new'] })));
    }
    const stale = logins.filter((login) => roles(login)?.[0] !== 'new').map(({ sid }) => sid);
    expect(stale).toEqual(['s37']);
    expect(answered).toBeLessThan(20);
  });

  test('an error page for all is not answered by a flood', async () => {
    for (let index = 0; index < 500; index++) bind(`s${index}`);
    await settle();
    polls.at(0)!.answer(changes('1.0', { held_ms: 0 }));
    for (let second = 0; second < 10; second++) {
      for (let turn = 0; turn < 100; turn++) {
        renewals.at(-1)?.fail('invalid_response', 200);
        await settle();
      }
      await clock.advance(1_000);
    }
    expect(renewals.length).toBeLessThan(200);
  });

  test('a session that an answer leaves out is asked for again, and not in a loop', async () => {
    const login = await settled('s1');
    polls.at(-1)!.answer(changes('2.0', { policy_changed: true }));
    const before = renewals.length;
    for (let time = 0; time < 100; time++) {
      await clock.advance(100);
      renewals.at(-1)!.answer([]);
    }
    expect(renewals.length - before).toBeGreaterThan(2);
    expect(renewals.length - before).toBeLessThan(20);
    expect(kind(login)).toBe('active');
  });
});

describe('the poll runs only while somebody is signed in', () => {
  test('it ends with the last login, and the next one begins anew', async () => {
    const login = await settled('s1');
    const poll = polls.at(-1)!;
    expect(poll.aborted()).toBe(false);
    store.remove(login);
    expect(poll.aborted()).toBe(true);
    await clock.advance(60_000);
    expect(polls.at(-1)).toBe(poll);
    bind('s2');
    await settle();
    expect(polls.at(-1)).not.toBe(poll);
    expect(polls.at(-1)!.after).toBeUndefined();
  });

  test('close() leaves no timer and asks nothing more', async () => {
    await settled('s1');
    store.close();
    expect(polls.at(-1)!.aborted()).toBe(true);
    const asked = polls.length + renewals.length;
    await clock.advance(120_000);
    expect(polls.length + renewals.length).toBe(asked);
  });
});
