import type { FileClass } from '../model/activity.ts';

/** What decides to whom a path belongs. */
export interface Places {
  /** Where the agent works. */
  readonly workspaces: readonly string[];
  /** '' unknown. */
  readonly home: string;
}

const SECRET_NAMES =
  /^(\.env(\..+)?|\.netrc|_netrc|\.npmrc|\.pypirc|\.pgpass|\.my\.cnf|\.git-credentials|\.htpasswd|\.vault-token|id_(rsa|dsa|ecdsa|ed25519)(_sk)?|.+\.(pem|key|p12|pfx|jks|keystore|kdbx|ppk)|credentials\.(json|db|ya?ml|toml)|secrets?\.(json|ya?ml|toml|env)|application_default_credentials\.json|service[-_]account.*\.json|shadow-?|gshadow-?|sudoers)$/;
const SECRET_PLACES =
  /(^|\/)(\.ssh|\.aws|\.gnupg|\.kube|\.azure|\.password-store|\.config\/(gh|gcloud|op|hub)|\.local\/share\/keyrings|\.docker\/config\.json|\.claude\/\.credentials\.json|\.codex\/auth\.json|\.config\/(google-chrome|chromium|BraveSoftware|microsoft-edge)\/.*(Login Data|Cookies|Web Data)|\.mozilla\/firefox\/.*(logins\.json|key[34]\.db|cookies\.sqlite))(\/|$)|^\/etc\/ssl\/private(\/|$)/;
/** A bare `credentials` is one in a tool's own folder, like `.cargo/credentials`. */
const CREDENTIALS = /\/\.[^/]+\/([^/]+\/)?credentials$/;
/** Public, though they look secret: examples, public keys, certificates. */
const PUBLIC_NAMES =
  /^(\.env\.(example|sample|template|dist)|known_hosts(\.old)?|.+\.pub|(.+[-_.])?(ca|ca-?certs?|certs?|certificates?|chain|fullchain|bundle|public|pub)([-_.][-\w.]*)?\.pem)$/;
const PUBLIC_PLACES =
  /^\/(etc\/ssl\/certs|etc\/pki\/(tls\/certs|ca-trust)|usr\/(share|lib|local\/share|local\/lib))\/|\/(certifi|node_modules)\//;
/** Code that others wrote: a file of it that looks secret is an example or a test's. */
const PACKAGES = /\/(site-packages|dist-packages|node_modules)\//;
const SYSTEM = /^\/(usr|lib\w*|bin|sbin|etc|opt|nix|snap|boot|proc|sys|run|var\/(lib|cache|log|run)|srv)(\/|$)/;

/** What kind of place a path is. The first that fits: secret, device, workspace, temp, home, system, other. */
export function fileClass(path: string, { workspaces, home }: Places): FileClass {
  if (isSecretPath(path)) return 'secret';
  if (/^\/dev(\/|$)/.test(path) && !/^\/dev\/shm\//.test(path)) return 'device';
  if (workspaces.some((folder) => isWorkspace(path, folder, home))) return 'workspace';
  if (/^(\/tmp|\/var\/tmp|\/dev\/shm)(\/|$)/.test(path)) return 'temp';
  if (home !== '' && home !== '/' && isBelow(path, home)) return 'home';
  if (/^\/(home\/[^/]+|root)(\/|$)/.test(path)) return 'home';
  return SYSTEM.test(path) ? 'system' : 'other';
}

/** A place that holds keys, passwords or tokens. */
export function isSecretPath(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (PUBLIC_NAMES.test(name) || (PUBLIC_PLACES.test(path) && name.endsWith('.pem'))) return false;
  if (SECRET_PLACES.test(path) || /^\/proc\/[^/]+\/environ$/.test(path)) return true;
  return !PACKAGES.test(path) && (SECRET_NAMES.test(name) || CREDENTIALS.test(path));
}

/** An agent that was started at home, or at the root, does not work with all that is there. */
function isWorkspace(path: string, folder: string, home: string): boolean {
  if (folder === '' || folder === '/' || !isBelow(path, folder)) return false;
  return folder !== home || path[folder.length + 1] !== '.';
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}
