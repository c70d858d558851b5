import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { MockLlm } from '../mock-llm/server.ts';
import { type OtlpDocument, readOtlp, type TraceNode } from './trace.ts';

export const root = dirname(dirname(import.meta.dirname));
export const node = join(root, 'node_modules/.bin/node');
export const python = join(root, '.cache/venv/bin/python');
export const agents = join(import.meta.dirname, 'agents');
const undersight = join(root, 'undersight');

export interface CommandResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly duration_ms: number;
}

export interface RunResult extends CommandResult {
  readonly spans: readonly TraceNode[];
  readonly trace_path: string;
}

export interface RunOptions {
  /** Of `undersight run`, before `--`. */
  readonly options?: readonly string[];
  /** undefined: not set. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Called once the command was started. */
  readonly meanwhile?: () => Promise<void>;
}

/** A temporary directory in which commands run, with its own HOME and so its own store. Removed at the test's end. */
export interface Workspace {
  readonly folder: string;
  /** Paths below `folder`. */
  path(name: string): string;
  /** `undersight run --format otlp-json --output FILE OPTIONS -- COMMAND`. */
  run(command: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** `undersight ARGUMENTS`. */
  undersight(...args: string[]): Promise<CommandResult>;
  /** Any command, with this workspace's environment. */
  command(command: readonly string[], options?: RunOptions): Promise<CommandResult>;
}

export function createWorkspace(
  test: { after(callback: () => void | Promise<void>): void },
  mock: MockLlm | undefined,
): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'undersight-e2e-'));
  test.after(async () => {
    await mock?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const path = (name: string) => join(folder, name);
  mkdirSync(path('home'));
  symlinkSync(join(root, 'node_modules'), path('node_modules'));
  const base: NodeJS.ProcessEnv = {
    PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
    HOME: path('home'),
    LANG: 'C.UTF-8',
    UNDERSIGHT_STORE: path('traces.db'),
    UNDERSIGHT_CACHE: process.env.UNDERSIGHT_CACHE ?? path('cache'),
    OPENAI_API_KEY: 'sk-not-a-real-key-but-long-enough-to-look-like-one',
    ANTHROPIC_API_KEY: 'sk-ant-not-a-real-key-but-long-enough-to-look-like-one',
    ...(mock === undefined
      ? {}
      : {
          OPENAI_BASE_URL: `${mock.url}/v1`,
          ANTHROPIC_BASE_URL: mock.url,
          NODE_EXTRA_CA_CERTS: mock.authority_path,
          SSL_CERT_FILE: mock.authority_path,
          CURL_CA_BUNDLE: mock.authority_path,
        }),
  };
  let run_count = 0;

  async function command(words: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    const began_ms = Date.now();
    const child = spawn(words[0] ?? '', words.slice(1), {
      cwd: folder,
      env: { ...base, ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    try {
      await options.meanwhile?.();
    } catch (error) {
      child.kill();
      await ended;
      throw error;
    }
    const [code, signal] = await ended;
    return { code, signal, stdout, stderr, duration_ms: Date.now() - began_ms };
  }

  return {
    folder,
    path,
    command,
    undersight: (...args) => command([undersight, ...args]),
    async run(words, options = {}) {
      const trace_path = path(`trace-${++run_count}.json`);
      const flags = ['--format', 'otlp-json', '--output', trace_path, ...(options.options ?? [])];
      const result = await command([undersight, 'run', ...flags, '--', ...words], options);
      return { ...result, trace_path, spans: readTrace(trace_path, result) };
    },
  };
}

function readTrace(trace_path: string, result: CommandResult): TraceNode[] {
  try {
    return readOtlp(JSON.parse(readFileSync(trace_path, 'utf8')) as OtlpDocument);
  } catch (error) {
    const context = `exit ${result.code}\n${result.stderr.slice(-2000)}`;
    throw new Error(`undersight run left no readable trace: ${(error as Error).message}\n${context}`);
  }
}
