import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findNetworkMounts, isBelow } from '../../src/targets/network-mounts.ts';

test('homes on file systems of other machines are known without asking these', () => {
  const mounts = findNetworkMounts(`/dev/vda1 / ext4 rw 0 0
auto /home autofs rw 0 0
server:/a /srv/all\\040homes nfs4 rw 0 0
me@host:/ /mnt/far fuse.sshfs rw 0 0
proc /proc proc rw 0 0
`);
  assert.deepEqual(mounts, ['/home', '/srv/all homes', '/mnt/far']);
  for (const directory of ['/home', '/home/ada', '/srv/all homes/ada'])
    assert.ok(isBelow(directory, mounts), directory);
  for (const directory of ['/', '/root', '/homes/ada']) assert.ok(!isBelow(directory, mounts), directory);
  assert.ok(isBelow('/root', ['/']));
});
