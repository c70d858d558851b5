import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentInstance } from '../../src/model/activity.ts';
import * as sample from './sample-activities.ts';

function resourceOf(part: Partial<AgentInstance>, options: object = {}) {
  const { spans, counts } = sample.spansOf([{ ...sample.file, agent: { ...sample.agent, ...part } }], options);
  return { attributes: spans[0]?.resource.attributes ?? assert.fail(), counts };
}

test('a resource says which agent on which machine', () => {
  const { attributes } = resourceOf({ container_id: 'c0ffee' }, { deployment_environment: 'staging' });
  const { 'service.instance.id': instance, ...rest } = attributes;
  assert.match(String(instance), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual(rest, {
    'service.name': 'demo-agent',
    'service.version': '1.2.3',
    'deployment.environment.name': 'staging',
    'host.name': 'workstation',
    'host.id': 'f0e1d2c3',
    'host.arch': 'amd64',
    'os.type': 'linux',
    'os.version': '6.8.0',
    'process.pid': 100,
    'process.parent_pid': 1,
    'process.executable.name': 'node',
    'process.executable.path': '/usr/bin/node',
    'process.command_args': ['node', 'agent.mjs'],
    'process.working_directory': '/work',
    'process.user.id': 1000,
    'process.user.name': 'ada',
    'container.id': 'c0ffee',
    'telemetry.distro.name': 'undersight',
    'telemetry.distro.version': '0.1.0',
  });
});

test('each process of one agent is an instance of its own', () => {
  const first = resourceOf({}).attributes['service.instance.id'];
  assert.equal(resourceOf({}).attributes['service.instance.id'], first);
  assert.notEqual(resourceOf({ process: '100:6' }).attributes['service.instance.id'], first);
});

test('what the agent declares of itself is merged in, percent-decoded; OTEL_SERVICE_NAME wins', () => {
  const environment = {
    OTEL_SERVICE_NAME: 'shop',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=x, team=a%2Cb%20c,service.namespace=prod,deployment.environment.name=eu,',
  };
  const { attributes, counts } = resourceOf({ environment }, { deployment_environment: 'staging' });
  assert.equal(attributes['service.name'], 'shop');
  assert.equal(attributes.team, 'a,b c');
  assert.equal(attributes['service.namespace'], 'prod');
  assert.equal(attributes['deployment.environment.name'], 'eu');
  assert.deepEqual(counts, {});
});

test('it cannot replace what was observed', () => {
  const environment = { OTEL_RESOURCE_ATTRIBUTES: 'process.pid=1,host.name=elsewhere,container.id=mine,__proto__=x' };
  const { attributes } = resourceOf({ environment });
  assert.equal(attributes['process.pid'], 100);
  assert.equal(attributes['host.name'], 'workstation');
  assert.equal(attributes['container.id'], 'mine', 'none was observed');
});

for (const value of ['no-separator', 'a=%zz', '=b', `a=${'x'.repeat(300)}`, `${'k=v,'.repeat(3)}broken`]) {
  test(`OTEL_RESOURCE_ATTRIBUTES=${value.slice(0, 20)} is void, and counted`, () => {
    const { attributes, counts } = resourceOf({ environment: { OTEL_RESOURCE_ATTRIBUTES: value } });
    assert.ok(!('a' in attributes) && !('k' in attributes));
    assert.deepEqual(counts, { 'spans.resource_variable_invalid': 1 });
  });
}
