import type { ScenarioCall } from '../mock-llm/scenario.ts';

/** Where one run of an agent takes place. */
export interface Place {
  /** What `packages` and `build` were installed into. */
  readonly installed: string;
  readonly home: string;
  readonly working_directory: string;
  /** Of the model server, `https://localhost:PORT`. */
  readonly url: string;
  /** PEM file of the authority that signed the server's certificate. */
  readonly authority_path: string;
}

/** How the model is reached; default: HTTPS on localhost, at the port of `url`. */
export interface ModelServer {
  /** Plain HTTP. */
  readonly plain?: true;
  /** The vendor's host name, at port 443. */
  readonly host?: string;
  /** Also over WebSocket, compressed. */
  readonly websocket?: true;
}

/** A call of an MCP tool, and a text that its result must have. */
export interface McpCall extends ScenarioCall {
  readonly mcp_name: string;
  readonly result: string;
}

/** An agent as its makers ship it, run without a person. */
export interface RealAgent {
  readonly name: string;
  readonly version: string;
  /** Exact versions: `name@version` for npm, `name==version` for pip; `other` is what `build` brings. */
  readonly packages: {
    readonly npm?: readonly string[];
    readonly pip?: readonly string[];
    readonly other?: readonly string[];
  };
  /** Makes in `installed` what no package brings. */
  build?(installed: string): void;
  readonly server?: ModelServer;
  /** Writes the settings that make it ask `url`, and starts what it needs; returns what ends that. */
  prepare?(place: Place): undefined | Promise<() => Promise<void>>;
  command(place: Place): readonly string[];
  environment?(place: Place): Readonly<Record<string, string | undefined>>;
  /** Whom it trusts: what the environment names (default), or the system's authorities alone. */
  readonly trusts?: 'system';
  /** The executable or library that makes its TLS, to say how that is found. */
  tlsFile(place: Pick<Place, 'installed'>): string;
  /** A call of the tool with which it runs commands; none: it has no tools. */
  shell?(command: string): ScenarioCall;
  /** Calls before the commands, each in a turn of its own; those of MCP tools are looked for. */
  before?(place: Place): readonly (ScenarioCall | McpCall)[];
  /** What a reader of its row has to know. */
  readonly note?: string;
  /** Why `watch` does not see all of its calls. */
  readonly unwatched?: string;
}

export const PROMPT = 'Look at the working directory and tell me what you see.';
export const API_KEY = 'sk-not-a-real-key-but-long-enough-to-look-like-one';
