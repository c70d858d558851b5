import { type CountRedaction, redactionToken } from './redaction-token.ts';
import { replaceRuns } from './replace-runs.ts';

/** A secret that is known by its looks. */
interface TokenShape {
  readonly kind: string;
  /** One of these occurs in every match: a cheap test before the pattern runs. */
  readonly hints: readonly string[];
  /** Global. Every quantifier is over a plain character class and bounded, for `replaceRuns`. */
  readonly pattern: RegExp;
  /** Refuses matches that only look alike. */
  readonly accept?: (match: string) => boolean;
}

const notAWord = (match: string) => /[0-9A-Z]/.test(match);

const TOKEN_SHAPES: readonly TokenShape[] = [
  { kind: 'anthropic_key', hints: ['sk-ant-'], pattern: /sk-ant-[A-Za-z0-9_-]{6,4096}/g },
  { kind: 'openrouter_key', hints: ['sk-or-'], pattern: /sk-or-v\d-[A-Za-z0-9_-]{6,4096}/g },
  { kind: 'langfuse_key', hints: ['sk-lf-'], pattern: /sk-lf-[A-Za-z0-9_-]{6,4096}/g },
  { kind: 'openai_key', hints: ['sk-'], pattern: /sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{6,4096}/g },
  {
    kind: 'openai_key',
    hints: ['sk-'],
    pattern: /(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{12,4096}/g,
    accept: notAWord,
  },
  { kind: 'groq_key', hints: ['gsk_'], pattern: /gsk_[A-Za-z0-9]{20,4096}/g },
  { kind: 'xai_key', hints: ['xai-'], pattern: /xai-[A-Za-z0-9]{30,4096}/g },
  { kind: 'perplexity_key', hints: ['pplx-'], pattern: /pplx-[A-Za-z0-9]{30,4096}/g },
  { kind: 'nvidia_key', hints: ['nvapi-'], pattern: /nvapi-[A-Za-z0-9_-]{30,4096}/g },
  { kind: 'aws_access_key', hints: ['AKIA', 'ASIA'], pattern: /A[KS]IA[A-Z0-9]{16}/g },
  { kind: 'google_key', hints: ['AIza'], pattern: /AIza[A-Za-z0-9_-]{30,4096}/g },
  { kind: 'google_token', hints: ['ya29.', 'GOCSPX-'], pattern: /(?:ya29\.|GOCSPX-)[A-Za-z0-9_-]{16,4096}/g },
  {
    kind: 'github_token',
    hints: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    pattern: /(?:gh[pousr]_[A-Za-z0-9]{16,4096}|github_pat_[A-Za-z0-9_]{16,4096})/g,
  },
  {
    kind: 'gitlab_token',
    hints: ['gl'],
    pattern: /gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-[A-Za-z0-9_-]{16,4096}/g,
  },
  { kind: 'slack_token', hints: ['xox', 'xapp-'], pattern: /(?:xox[abdeoprs]|xapp)-[A-Za-z0-9-]{10,4096}/g },
  {
    kind: 'webhook_url',
    hints: ['hooks.slack.com/', '/api/webhooks/'],
    pattern: /(?:(?<=hooks\.slack\.com\/(?:services|workflows)\/)|(?<=\/api\/webhooks\/))[A-Za-z0-9_/-]{16,4096}/g,
  },
  { kind: 'huggingface_token', hints: ['hf_'], pattern: /hf_[A-Za-z0-9]{20,4096}/g },
  { kind: 'replicate_key', hints: ['r8_'], pattern: /(?<![A-Za-z0-9])r8_[A-Za-z0-9]{37,4096}/g },
  { kind: 'npm_token', hints: ['npm_'], pattern: /npm_[A-Za-z0-9]{30,4096}/g },
  { kind: 'pypi_token', hints: ['pypi-'], pattern: /pypi-[A-Za-z0-9_-]{40,4096}/g },
  {
    kind: 'stripe_key',
    hints: ['k_live_', 'k_test_', 'whsec_'],
    pattern: /(?:[srp]k_(?:live|test)|whsec)_[A-Za-z0-9]{10,4096}/g,
  },
  { kind: 'sendgrid_key', hints: ['SG.'], pattern: /SG\.[A-Za-z0-9_-]{16,4096}\.[A-Za-z0-9_-]{16,4096}/g },
  { kind: 'digitalocean_token', hints: ['do'], pattern: /do[oprt]_v1_[a-f0-9]{32,4096}/g },
  { kind: 'docker_token', hints: ['dckr_'], pattern: /dckr_[a-z]{2,4}_[A-Za-z0-9_-]{16,4096}/g },
  { kind: 'vault_token', hints: ['hv'], pattern: /hv[sbr]\.[A-Za-z0-9_-]{20,4096}/g },
  { kind: 'sentry_token', hints: ['sntry'], pattern: /sntry[su]_[A-Za-z0-9_=+/-]{30,4096}/g },
  { kind: 'telegram_token', hints: [':AA'], pattern: /\d{8,10}:AA[A-Za-z0-9_-]{32,4096}/g },
  { kind: 'age_key', hints: ['AGE-SECRET-KEY-'], pattern: /AGE-SECRET-KEY-1[A-Z0-9]{30,4096}/g },
  {
    kind: 'jwt',
    hints: ['eyJ'],
    // Of what stands before it only a little is looked at: a run of nothing but beginnings stays cheap.
    pattern:
      /(?<=(?<![A-Za-z0-9_-])(?:[A-Za-z0-9_-]{0,64}[_-])?)eyJ[A-Za-z0-9_-]{8,4096}\.(?:eyJ[A-Za-z0-9_-]{4,4096}(?:\.[A-Za-z0-9_-]{0,4096})?|[A-Za-z0-9_-]{0,4096}\.[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,4096})/g,
  },
  {
    kind: 'password_hash',
    hints: ['$'],
    pattern: /\$(?:1|2[abxy]|5|6|7|y|gy|argon2(?:i|d|id))\$[./A-Za-z0-9$=,+]{20,4096}/g,
  },
];

/** Takes everything out of `text` that looks like one of the known shapes. */
export function redactTokenShapes(text: string, count: CountRedaction): string {
  let out = text;
  for (const { kind, hints, pattern, accept } of TOKEN_SHAPES) {
    if (!hints.some((hint) => out.includes(hint))) continue;
    out = replaceRuns(out, pattern, ([match]) => {
      if (accept !== undefined && !accept(match)) return undefined;
      count(kind);
      return redactionToken(kind);
    });
  }
  return out;
}
