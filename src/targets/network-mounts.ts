import { readProcFile } from './proc-file.ts';

const MAX_MOUNTS_BYTES = 4 * 1024 * 1024;
/** Those that ask another machine, which may not answer, and autofs, which mounts such. */
const NETWORK =
  /^(nfs4?|cifs|smb3|smbfs|afs|ceph|glusterfs|lustre|9p|autofs|fuse\.(sshfs|glusterfs|ceph\S*|s3fs|rclone))$/;

/** Where file systems of other machines are mounted, from `mounts` as proc_pid_mounts(5) has it; this process's own by default. */
export function findNetworkMounts(
  mounts = readProcFile('/proc/self/mounts', MAX_MOUNTS_BYTES)?.toString('utf8') ?? '',
): readonly string[] {
  return mounts.split('\n').flatMap((line) => {
    const [, directory = '', type = ''] = line.split(' ');
    return NETWORK.test(type)
      ? [directory.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)))]
      : [];
  });
}

/** Whether a directory is one of these mounts, or lies in one, by its name alone. */
export function isBelow(directory: string, mounts: readonly string[]): boolean {
  return mounts.some((mount) => directory === mount || directory.startsWith(mount.endsWith('/') ? mount : `${mount}/`));
}
