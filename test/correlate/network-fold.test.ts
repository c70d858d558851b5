import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSocket } from '../../src/correlate/network-fold.ts';
import type { NetOpenEvent } from '../../src/model/event.ts';

const NOBODY = { family: 'ipv4', address: '', port: 0 } as const;
const BASE = {
  ktime_ns: 1n,
  process: '7:70',
  pid: 7,
  tid: 7,
  kind: 'net_open',
  socket_id: 1n,
  fd: 3,
  errno: 0,
} as const;

describe('an inherited socket without a peer', () => {
  for (const [transport, port, operation] of [
    ['tcp', 80, 'listen'],
    ['udp', 53, 'listen'],
    ['other', 1, 'connect'],
  ] as const) {
    it(`of transport ${transport} is there to ${operation}`, () => {
      const local = { family: 'ipv4', address: '0.0.0.0', port } as const;
      const event: NetOpenEvent = { ...BASE, operation: 'inherited', transport, local, peer: NOBODY };
      assert.equal(createSocket(event, 0).operation, operation);
    });
  }
});
