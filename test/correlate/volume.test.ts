import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Scene, user } from './scene.ts';

describe('a lot of everything', () => {
  it('tells of each of 2,000 processes once', () => {
    const scene = new Scene();
    const call = scene.ask(scene.root, { messages: [user('x')] });
    for (let i = 0; i < 2000; i++) {
      scene.exit(scene.spawn(scene.root, 'true', String(i)));
      if (i % 100 === 0) scene.wait(1);
    }
    scene.answer(call, 'done');
    const all = scene.end();
    assert.equal(new Set(all.kind('process').map((one) => one.process)).size, 2000);
  });

  it('counts what succeeded, and only where nothing did what failed', () => {
    const scene = new Scene();
    scene.change(scene.root, 'mkdir', '/home/ann/.made');
    for (const path of ['/home/ann/.made', '/home/ann/.there', '/home/ann/.made', '/home/ann/.there']) {
      scene.change(scene.root, 'mkdir', path, undefined, 17);
    }
    const all = scene.end();
    const made = all.file('/home/ann/.made');
    assert.deepEqual([made.operation, made.count, made.error_type], ['create', 1, undefined]);
    const there = all.file('/home/ann/.there');
    assert.deepEqual([there.operation, there.count, there.error_type], ['open', 2, 'EEXIST']);
  });

  it('accounts for every path of 50,000 openings', () => {
    const scene = new Scene();
    scene.answer(scene.ask(scene.root, { messages: [user('x')] }), 'done');
    const child = scene.spawn(scene.root, 'make');
    scene.read(child, '/home/ann/.ssh/id_rsa');
    for (let i = 0; i < 50_000; i++) scene.open(child, i % 5 === 0 ? `/usr/lib/lib${i}.so` : `/work/app/src/${i}.c`);
    scene.exit(child);
    const all = scene.end();
    const process = all.process(child);
    const files = all.kind('file');
    assert.equal(files.length, 200);
    assert.equal(process.noise_file_count, 10_000);
    assert.equal(files.length + process.left_out_count, 40_001);
    assert.equal(all.file('/home/ann/.ssh/id_rsa').class, 'secret');
  });

  it('follows a chain of 15,000 processes from one turn into the next', () => {
    const scene = new Scene();
    const messages = [user('x')];
    const said = scene.answer(scene.ask(scene.root, { messages }), 'done');
    let last = scene.root;
    for (let i = 0; i < 15_000; i++) last = scene.fork(last);
    scene.ask(scene.root, { messages: [...messages, said, user('y')] });
    scene.read(last, '/work/app/x');
    const all = scene.end();
    const file = all.file('/work/app/x');
    assert.equal(all.kind('process').filter((one) => one.turn_id === file.turn_id).length, 15_000);
  });

  it('nests thousands of agents, each started by the one before', () => {
    const scene = new Scene();
    let last = scene.root;
    for (let i = 0; i < 3000; i++) {
      scene.answer(scene.ask(last, { messages: [user('x')] }), 'done');
      last = scene.fork(last);
    }
    scene.wait(40_000);
    const all = scene.end();
    assert.equal(new Set(all.kind('invoke_agent').map((one) => one.turn_id)).size, 1);
    assert.equal(all.kind('invoke_agent').length, 3000);
  });
});
