const SECRET_ENDINGS = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'token',
  'credential',
  'credentials',
  'authorization',
  'cookie',
  'apikey',
  'accesskey',
  'secretkey',
  'privatekey',
  'accountkey',
  'authkey',
];

/** What makes a `..._key` a secret. */
const KEY_OWNERS =
  'api|access|secret|private|account|auth|signing|encryption|master|subscription|app|deploy|admin|session|storage|jwt|hmac|openai|anthropic|azure|gemini|google|mistral|groq|stripe|sendgrid|datadog|dd|hf';
const SECRET_KEY = new RegExp(`(?:^|_)(?:${KEY_OWNERS})_key$`);

/** What only says in which form a secret is: `SECRET_KEY_BASE` (Rails), `client-key-data` (kubeconfig). */
const FORM = /_?(?:base64|b64|base|data|pem|value)$/;
const SECRET_KEY_FORM = /(?:^|_)(?:client|server|tls|ssl|ssh|rsa)_key_(?:data|pem|base64|b64)$/;

/** Names of ordinary things that end like a secret's: paging, tokenizers, `--no-password`. */
const ORDINARY =
  /(?:^|_)(?:max|min|num|per|next|page|pagination|continuation|cancellation|cancel|pad|eos|bos|unk|cls|sep|mask|special|stop|first|last|public|no)_(?:token|password|secret)$|^(?:no|public)_/;

const NAMES_REMEMBERED = 4096;
const known = new Map<string, boolean>();

function judge(name: string): boolean {
  const all_words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|[_0-9]+$/g, '');
  if (SECRET_KEY_FORM.test(all_words)) return true;
  const words = all_words.replace(FORM, '');
  if (ORDINARY.test(words)) return false;
  if (SECRET_ENDINGS.some((ending) => words.endsWith(ending))) return true;
  return SECRET_KEY.test(words) || /(?:^|_)(?:pwd|pass)$/.test(words) || /^_?auth$/.test(words);
}

/**
 * Whether what `name` names (`apiKey`, `DB_PASSWORD`, `x-api-key`, `client.secret`) is a secret. Counts and kinds of
 * tokens, tokenizers' special tokens and paging tokens are not. Names over 128 characters never are.
 */
export function isSecretName(name: string): boolean {
  if (name.length < 3 || name.length > 128) return false;
  const remembered = known.get(name);
  if (remembered !== undefined) return remembered;
  const secret = judge(name);
  if (known.size >= NAMES_REMEMBERED) known.clear();
  known.set(name, secret);
  return secret;
}
