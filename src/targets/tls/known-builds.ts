/**
 * Builds whose functions somebody has found and written down: for those that the search cannot find. Shipped ones
 * (known-builds.json), the administrator's (/etc/undersight/builds.d), and those of the configuration; the last that lists a build
 * counts. `undersight targets inspect FILE --entry` prints an entry.
 */
import fs from 'node:fs';
import path from 'node:path';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { SetupError } from '../../model/setup-error.ts';
import { TLS_FUNCTION_NAMES } from '../../model/tls-library.ts';
import shipped from './known-builds.json' with { type: 'json' };

const SYSTEM_DIRECTORY = '/etc/undersight/builds.d';
const WRITABLE_BY_OTHERS = 0o022;
const MAX_FILE_BYTES = 1024 * 1024;
const MAX_BUILDS = 10_000;
const MAX_FUNCTIONS = 64;
const MAX_SKIP_BYTES = 64;
const MAX_RETURNS = 64;

/** No program of Go survives that a return address is replaced. `go_conn_close` needs no returns, but says so. */
function isGoComplete(one: {
  readonly name: string;
  readonly probe_skip_bytes?: number | undefined;
  readonly return_offsets?: readonly bigint[] | undefined;
}): boolean {
  const isGo = one.name.startsWith('go_');
  return isGo === (one.probe_skip_bytes !== undefined) && isGo === (one.return_offsets !== undefined);
}

const hex = (least: number, most: number) =>
  z
    .string()
    .regex(new RegExp(`^([0-9a-f]{2}){${least},${most}}$`), `expected ${least} to ${most} bytes as lower-case hex`);

const offsetSchema = z
  .union([
    z.string().regex(/^0x[0-9a-f]{1,12}$/, 'expected an offset such as 0x10e63e50'),
    z.number().int().nonnegative(),
  ])
  .transform(BigInt);

const buildSchema = z
  .strictObject({
    /** For people. */
    comment: z.string().optional(),
    build_id: hex(4, 64).optional(),
    /** Of the whole file, for those without a build id; only files of this size are read for it. */
    sha256: hex(32, 32).optional(),
    file_bytes: z.number().int().positive().optional(),
    functions: z
      .array(
        z
          .strictObject({
            name: z.enum(TLS_FUNCTION_NAMES),
            file_offset: offsetSchema,
            /** The instructions there. */
            begins: hex(8, 64),
            /** Of Go: to where the check for room on the stack is over. */
            probe_skip_bytes: z.number().int().min(0).max(MAX_SKIP_BYTES).optional(),
            /** Of Go: its return instructions. */
            return_offsets: z.array(offsetSchema).max(MAX_RETURNS).optional(),
          })
          .refine(isGoComplete, 'a function of Go needs probe_skip_bytes and return_offsets, and no other has them'),
      )
      .min(1)
      .max(MAX_FUNCTIONS),
  })
  .refine(
    (one) => one.build_id !== undefined || one.sha256 !== undefined,
    'expected a build_id, or sha256 and file_bytes',
  )
  .refine((one) => (one.sha256 === undefined) === (one.file_bytes === undefined), 'sha256 and file_bytes go together');

const fileSchema = z.array(buildSchema).max(MAX_BUILDS);

export type KnownBuild = z.infer<typeof buildSchema> & {
  /** The file that lists it. */
  readonly listed_in: string;
};

let builds: readonly KnownBuild[] | undefined;

/** All builds that are known now, those that count first. */
export function knownBuilds(): readonly KnownBuild[] {
  builds ??= checkBuilds(shipped, 'the builds that come with Undersight');
  return builds;
}

/** Reads the lists of the system and these files, YAML or JSON. Throws SetupError for what is no such list. */
export function loadKnownBuilds(files: readonly string[]): void {
  const all = [shippedBuilds(), ...[...systemFiles(), ...files].map(readBuilds)].reverse().flat();
  if (all.length > MAX_BUILDS)
    throw new SetupError(`more than ${MAX_BUILDS} known builds`, 'Take out what is not used.');
  builds = all;
}

const shippedBuilds = () => checkBuilds(shipped, 'the builds that come with Undersight');

function systemFiles(): readonly string[] {
  try {
    const names = fs.readdirSync(SYSTEM_DIRECTORY).filter((name) => /\.(ya?ml|json)$/.test(name));
    return names.sort().map((name) => path.join(SYSTEM_DIRECTORY, name));
  } catch {
    return [];
  }
}

function readBuilds(file: string): readonly KnownBuild[] {
  const lines = new LineCounter();
  let document: ReturnType<typeof parseDocument>;
  let value: unknown;
  checkWriters(file);
  try {
    if (fs.statSync(file).size > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
    document = parseDocument(fs.readFileSync(file, 'utf8'), { lineCounter: lines });
    const [error] = document.errors;
    if (error !== undefined) throw error;
    value = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    throw new SetupError(
      `${file} cannot be read: ${(error as Error).message}`,
      'Check receivers.undersight.targets.known_builds.',
    );
  }
  return checkBuilds(value, file, (at) => `${file}:${lineOf(document, lines, at)}`);
}

/** What it says decides where instructions of other programs are replaced: nobody else may write it, or put another in its place. */
function checkWriters(file: string): void {
  let real: string;
  let stats: readonly (readonly [string, fs.Stats])[];
  try {
    real = fs.realpathSync(file);
    stats = [real, path.dirname(real)].map((one) => [one, fs.statSync(one)] as const);
  } catch {
    // That it is not there is told when it is read.
    return;
  }
  for (const [one, { uid, mode }] of stats) {
    const isOwned = uid === 0 || uid === process.geteuid?.();
    if (isOwned && (mode & WRITABLE_BY_OTHERS) === 0) continue;
    throw new SetupError(
      `${file} is not used as a list of known builds: ${one} ${isOwned ? 'can be written by others' : `belongs to the user ${uid}`}`,
      `chown root ${one} && chmod go-w ${one}`,
    );
  }
}

/** Of what is at this path, or of the nearest thing around it. */
function lineOf(document: ReturnType<typeof parseDocument>, lines: LineCounter, at: readonly PropertyKey[]): number {
  for (let depth = at.length; depth > 0; depth--) {
    const node = document.getIn(at.slice(0, depth), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function checkBuilds(
  value: unknown,
  file: string,
  placeOf: (at: readonly PropertyKey[]) => string = () => file,
): readonly KnownBuild[] {
  const result = fileSchema.safeParse(value ?? []);
  if (result.success) return result.data.map((one) => ({ ...one, listed_in: file }));
  const problems = result.error.issues
    .slice(0, 5)
    .map(({ path: at, message }) => `${placeOf(at)}: ${at.join('.')}: ${message}`);
  throw new SetupError(
    `This is no list of known builds\n${problems.join('\n')}`,
    '`undersight targets inspect FILE --entry` prints an entry as it should be.',
  );
}
