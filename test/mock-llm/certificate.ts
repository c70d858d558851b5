import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** PEM file of the authority that signed it; what clients must trust. */
  readonly authority_path: string;
}

/** Makes a certificate authority and a certificate for localhost, 127.0.0.1 and `hosts`, valid for a day, in `folder`. */
export function createCertificate(folder: string, hosts: readonly string[] = []): Certificate {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const ca = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign', '-subj', '/CN=mock-llm authority'];
  openssl('req', '-x509', '-days', '1', ...fresh, '-keyout', 'ca.key', '-out', 'ca.pem', ...ca);
  openssl('req', ...fresh, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
  const extensions = [
    `subjectAltName=DNS:localhost,IP:127.0.0.1${hosts.map((host) => `,DNS:${host}`).join('')}`,
    'extendedKeyUsage=serverAuth',
    'authorityKeyIdentifier=keyid',
    'subjectKeyIdentifier=hash',
  ];
  writeFileSync(join(folder, 'extensions'), extensions.join('\n'));
  const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1', '-extfile', 'extensions'];
  openssl('x509', '-req', '-in', 'server.csr', ...signing, '-out', 'server.pem');
  return {
    key: readFileSync(join(folder, 'server.key'), 'utf8'),
    cert: readFileSync(join(folder, 'server.pem'), 'utf8'),
    authority_path: join(folder, 'ca.pem'),
  };
}
