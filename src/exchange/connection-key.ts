/*
 * A process's connections are told apart by one number each, in three ranges:
 *   0 to 2^63 - 1     the address of a TLS library's connection object: no address of a process has bit 63;
 *   from 2^63 on      a socket whose two directions a library keeps in objects of their own, with bit 63 set;
 *   below 0           a socket itself, without TLS.
 * Numbers of sockets count up from 1, so that none has bit 63.
 */
const JOINED = 1n << 63n;

/** The connection that the objects for the two directions of this socket make up. */
export function joinedConnection(socket_id: bigint): bigint {
  return JOINED | socket_id;
}

/** The connection that is this socket itself. */
export function plainConnection(socket_id: bigint): bigint {
  return -socket_id;
}

export function isPlainConnection(connection: bigint): boolean {
  return connection < 0n;
}
