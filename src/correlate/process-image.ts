import type { ProcessExitEvent } from '../model/event.ts';
import type { Process } from './process-tree.ts';

/** Programs of one process that are told apart; what comes after these is told as the last of them. */
const MAX_IMAGES = 16;

/** What it has done so far has to stay apart from what the program does that it executes now. Agents stay what they are. */
export function isToBeReplaced(process: Process): boolean {
  const { scope, exec_ns, is_agent, has_forked, files, connections, replaced_count } = process;
  if (scope === undefined || exec_ns === undefined || is_agent || replaced_count >= MAX_IMAGES) return false;
  return has_forked || connections.size > 0 || files.values().some(({ is_unused }) => !is_unused);
}

/** Files and sockets stay open when another program is executed. Nothing was done with them yet. */
export function inheritOpen(before: Process, after: Process): void {
  for (const [id, file] of before.open_files) {
    if (file.fold?.state === 'growing') file.fold.open_count = 0;
    after.open_files.set(id, { ...file, is_inherited: true, fold: undefined });
  }
  before.open_files.clear();
  for (const [id, socket] of before.sockets) {
    const told = { retransmits_told: socket.retransmits, bytes_sent: 0n, bytes_received: 0n, is_used: false };
    const unplaced = { turn: undefined, place: undefined, continues: undefined, is_inherited: true };
    after.sockets.set(id, { ...socket, ...told, ...unplaced });
  }
}

/** How a process ended, whatever it was by then. */
export function exitOf(process: Process): ProcessExitEvent | undefined {
  let last = process;
  while (last.successor !== undefined) last = last.successor;
  return last.exit;
}
