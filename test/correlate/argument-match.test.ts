import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { matchCommand, matchHost, matchPath, shellScript } from '../../src/correlate/argument-match.ts';
import { toolEvidence } from '../../src/correlate/tool-evidence.ts';

const shell = (command: string) => toolEvidence({ command });

describe('a command line and what a tool call asks for', () => {
  for (const [args, command] of [
    [['/bin/sh', '-c', 'npm test'], 'npm test'],
    [['ls', '-la'], 'ls -la'],
    [['ls'], 'ls'],
    [['/usr/bin/git', 'diff', '--stat'], 'git diff --stat'],
    [['python3', '-c', 'print("a b")'], `python3 -c 'print("a b")'`],
    [['grep', '-rn', 'a b', 'src'], 'grep -rn "a b" src'],
  ] as const) {
    it(`knows ${args.join(' ')}`, () => {
      assert.deepEqual(matchCommand(args, shell(command)), { score: 1, matched: command });
    });
  }

  it('knows a command in what a harness wraps around it', () => {
    const wrapped = `source /tmp/snapshot.sh && eval 'npm run build -- --fast' \\< /dev/null && pwd -P >| /tmp/cwd`;
    const match = matchCommand(['/bin/bash', '-c', '-l', wrapped], shell('npm run build -- --fast'));
    assert.equal(match?.matched, 'npm run build -- --fast');
    assert.ok((match?.score ?? 0) >= 0.9);
  });

  it('knows one part of a longer command', () => {
    const match = matchCommand(['make', 'install'], shell('cd /work && make install | tee log'));
    assert.deepEqual(match, { score: 0.9, matched: 'make install' });
  });

  it('knows a program that was given arguments by name', () => {
    const evidence = toolEvidence({ pattern: 'createServer', path: 'src/http' });
    const args = ['rg', '--no-heading', '-n', 'createServer', '/work/app/src/http'];
    assert.ok((matchCommand(args, evidence)?.score ?? 0) > 0.6);
  });

  for (const [args, command] of [
    [['id', '-un'], 'exec node check.mjs orders.json'],
    [['git', 'status'], 'git diff'],
    [['node', 'check.mjs', 'users.json'], 'exec node check.mjs orders.json'],
    [['ls', '-l'], 'cat notes.txt -l'],
    [['sh', '-c', 'rm -rf /tmp/x'], 'ls /tmp'],
    [['node'], 'node server.js'],
  ] as const) {
    it(`does not take ${args.join(' ')} for ${command}`, () => {
      assert.equal(matchCommand(args, shell(command)), undefined);
    });
  }

  it('tells two commands of one program apart', () => {
    const args = ['node', 'check.mjs', 'users.json'];
    assert.equal(matchCommand(args, shell('node check.mjs users.json'))?.score, 1);
    assert.equal(matchCommand(args, shell('node check.mjs orders.json')), undefined);
  });

  it('finds the script of a shell', () => {
    assert.equal(shellScript(['bash', '-lc', 'ls']), 'ls');
    assert.equal(shellScript(['-zsh', '-c', 'ls']), 'ls');
    assert.equal(shellScript(['bash', 'script.sh']), undefined);
    assert.equal(shellScript(['node', '-c', 'x']), undefined);
  });

  it('takes whatever a model may write', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.string()), (value, args) => {
        const match = matchCommand(args, toolEvidence(value));
        assert.ok(match === undefined || (match.score > 0 && match.score <= 1));
      }),
    );
  });
});

describe("an agent's own effects and what a tool call asks for", () => {
  it('knows a path by its end, or by the folder that is named in full', () => {
    assert.equal(matchPath('/work/app/src/a.ts', toolEvidence({ path: './src/a.ts' }))?.matched, './src/a.ts');
    assert.equal(matchPath('/work/app/src/a.ts', toolEvidence({ path: '/work/app/src' }))?.score, 0.6);
    assert.equal(matchPath('/work/app/src/b.ts', toolEvidence({ path: 'src/a.ts' })), undefined);
    assert.equal(matchPath('/work/app/xsrc/a.ts', toolEvidence({ path: 'src/a.ts' })), undefined);
  });

  it('knows a host by the address that is named', () => {
    const evidence = toolEvidence({ url: 'https://Docs.example.com:8443/a?b' });
    assert.equal(matchHost([undefined, 'docs.example.com'], 8443, evidence)?.matched, 'docs.example.com:8443');
    assert.equal(matchHost(['api.example.com', '10.0.0.1'], 8443, evidence), undefined);
    assert.equal(matchHost(['docs.example.com'], 443, evidence), undefined, 'another port is another server');
    assert.equal(matchHost(['docs.example.com'], 443, toolEvidence({ host: 'docs.example.com' }))?.score, 0.9);
  });

  it('tells servers on this machine apart by their ports', () => {
    const [orders, users] = [4001, 4002].map((port) => toolEvidence({ url: `http://localhost:${port}/x` }));
    assert.ok(orders && users);
    for (const address of ['127.0.0.1', '::1']) {
      assert.equal(matchHost([undefined, address], 4002, users)?.matched, 'localhost:4002');
      assert.equal(matchHost([undefined, address], 4002, orders), undefined);
    }
  });
});
