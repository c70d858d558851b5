import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressScope, listenScope } from '../../src/correlate/address-scope.ts';
import { fileClass } from '../../src/correlate/file-class.ts';
import { createNoiseFilter } from '../../src/correlate/noise.ts';

describe('classes of files', () => {
  const places = { workspaces: ['/home/ann/app', '/data/shared'], home: '/home/ann' };
  for (const [path, expected] of [
    ['/home/ann/app/src/a.ts', 'workspace'],
    ['/home/ann/app/.env', 'secret'],
    ['/home/ann/app/.env.example', 'workspace'],
    ['/home/ann/app/key.pem', 'secret'],
    ['/home/ann/app/ca.pem', 'workspace'],
    ['/home/ann/app/tls/server-cert.pem', 'workspace'],
    ['/home/ann/app/tls/cert.key', 'secret'],
    ['/home/ann/app/tls/privkey.pem', 'secret'],
    ['/home/ann/.ssh/id_ed25519', 'secret'],
    ['/home/ann/.ssh/known_hosts', 'home'],
    ['/home/ann/.ssh/authorized_keys', 'secret'],
    ['/home/ann/.mozilla/firefox/x.default/logins.json', 'secret'],
    ['/data/shared/x', 'workspace'],
    ['/home/ann/.aws/credentials', 'secret'],
    ['/home/ann/.cargo/credentials', 'secret'],
    ['/home/ann/.cache/venv/lib/python3.11/site-packages/anthropic/lib/credentials', 'home'],
    ['/home/ann/lib/credentials', 'home'],
    ['/home/ann/.config/gh/hosts.yml', 'secret'],
    ['/home/ann/.config/gcloud/access_tokens.db', 'secret'],
    ['/home/ann/.npmrc', 'secret'],
    ['/home/ann/notes.md', 'home'],
    ['/home/bob/notes.md', 'home'],
    ['/home/ann/application/x', 'home'],
    ['/etc/shadow', 'secret'],
    ['/etc/ssl/certs/ca.pem', 'system'],
    ['/etc/hostname', 'system'],
    ['/usr/bin/ls', 'system'],
    ['/proc/1/environ', 'secret'],
    ['/tmp/x', 'temp'],
    ['/dev/shm/x', 'temp'],
    ['/dev/sda', 'device'],
    ['/data/x', 'other'],
  ] as const) {
    it(`takes ${path} for ${expected}`, () => assert.equal(fileClass(path, places), expected));
  }

  it('knows a workspace below /tmp', () => {
    assert.equal(fileClass('/tmp/run/a', { workspaces: ['/tmp/run'], home: '' }), 'workspace');
  });

  it('does not take all of a home for a workspace', () => {
    const atHome = { workspaces: ['/home/ann'], home: '/home/ann' };
    assert.equal(fileClass('/home/ann/app/a.ts', atHome), 'workspace');
    assert.equal(fileClass('/home/ann/.bashrc', atHome), 'home');
  });

  it('is not stopped by any name', () => {
    for (const part of ['_a', '.so', '/a', '-ca', '.pem', 'key', '.1']) {
      const path = `/home/ann/app/ca${part.repeat(1000)}!`;
      assert.equal(fileClass(path, places), 'workspace');
      assert.equal(createNoiseFilter(['**/a/**/b', '*_*_*.log']).isNoise(path, 2, false), false);
    }
  });
});

describe('noise', () => {
  const filter = createNoiseFilter(['/data/**/cache/*', '/x?.log']);
  for (const [path, errno, expected] of [
    ['/usr/lib/x86_64-linux-gnu/libc.so.6', 0, true],
    ['/etc/ld.so.cache', 0, true],
    ['/proc/self/maps', 0, true],
    ['/usr/lib/locale/locale-archive', 0, true],
    ['/usr/lib/python3.11/os.py', 0, true],
    ['/venv/lib/python3.11/site-packages/openai/__init__.py', 0, true],
    ['/work/node_modules/openai/index.js', 0, true],
    ['/work/package.json', 2, true],
    ['/work/package.json', 0, false],
    ['/work/notes.txt', 2, false],
    ['/work/so.txt', 0, false],
    ['/data/a/b/cache/c', 0, true],
    ['/data/a/b/cache/c/d', 0, false],
    ['/x1.log', 0, true],
    ['/x12.log', 0, false],
  ] as const) {
    it(`${expected ? 'takes' : 'does not take'} ${path} for it${errno > 0 ? ', when it is not there' : ''}`, () =>
      assert.equal(filter.isNoise(path, errno, false), expected));
  }
  for (const [path, expected] of [
    ['/etc/ld.so.preload', false],
    ['/usr/lib/x86_64-linux-gnu/libssl.so.3', false],
    ['/work/node_modules/left-pad/index.js', false],
    ['/work/__pycache__/a.cpython-312.pyc', true],
    ['/dev/null', true],
  ] as const) {
    it(`${expected ? 'takes' : 'does not take'} a change of ${path} for it`, () =>
      assert.equal(filter.isNoise(path, 0, true), expected));
  }
});

describe('scopes of addresses', () => {
  for (const [address, expected] of [
    ['127.0.0.53', 'loopback'],
    ['10.1.2.3', 'private'],
    ['172.31.0.1', 'private'],
    ['172.32.0.1', 'external'],
    ['192.168.0.1', 'private'],
    ['169.254.169.254', 'private'],
    ['8.8.8.8', 'external'],
    ['::1', 'loopback'],
    ['::ffff:10.0.0.1', 'private'],
    ['fe80::1', 'private'],
    ['fd00::1', 'private'],
    ['2001:db8::1', 'external'],
  ] as const) {
    it(`takes ${address} for ${expected}`, () => {
      const family = address.includes(':') ? 'ipv6' : 'ipv4';
      assert.equal(addressScope({ family, address, port: 1 }), expected);
    });
  }

  it('can be reached from everywhere where no address was chosen', () => {
    assert.equal(listenScope({ family: 'ipv4', address: '0.0.0.0', port: 80 }), 'external');
    assert.equal(listenScope({ family: 'ipv4', address: '127.0.0.1', port: 80 }), 'loopback');
  });
});
