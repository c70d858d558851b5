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

/** An agent as its makers ship it, run without a person. */
export interface RealAgent {
  readonly name: string;
  readonly version: string;
  /** Exact versions, `name@version` for npm and `name==version` for pip. */
  readonly packages: { readonly npm?: readonly string[]; readonly pip?: readonly string[] };
  /** Makes what no package brings, once, in `installed`. */
  build?(installed: string): void;
  /** Writes the settings that make it ask `url`. */
  prepare?(place: Place): void;
  command(place: Place): readonly string[];
  environment?(place: Place): Readonly<Record<string, string>>;
  /** Whom it trusts: what the environment names (default), or the system's authorities alone. */
  readonly trusts?: 'system';
  /** The executable or library that makes its TLS, to say how that is found. */
  tlsFile(place: Pick<Place, 'installed'>): string;
  /** A call of the tool with which it runs commands. */
  shell(command: string): ScenarioCall;
}

export const PROMPT = 'Look at the working directory and tell me what you see.';
export const API_KEY = 'sk-not-a-real-key-but-long-enough-to-look-like-one';
