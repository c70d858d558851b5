import type { Counters } from '../health/counters.ts';
import type { Event, EventBase, KernelEvent } from '../model/event.ts';
import type { Stage } from '../stage.ts';
import { decodeFileChange, decodeFileIo, decodeFileOpen } from './decode-file.ts';
import { decodeNetIo, decodeNetOpen, decodeNetPayload } from './decode-net.ts';
import { decodePipeEnd, decodePlainData } from './decode-plain.ts';
import {
  decodeAgentSeen,
  decodeArguments,
  decodeBlindSpot,
  decodeExec,
  decodeExit,
  decodeFork,
} from './decode-process.ts';
import { decodeTlsBinding, decodeTlsClose, decodeTlsData } from './decode-tls.ts';
import * as raw from './events.gen.ts';
import { ExecJoiner } from './exec-joiner.ts';
import type { Intake } from './intake.ts';
import { LOST_RECORD_REASONS } from './losses.ts';
import { baseOf, MalformedRecord, RingRecord } from './record.ts';
import { SequenceCheck } from './sequence-check.ts';

interface Kind {
  readonly size: number;
  readonly decode: (record: RingRecord) => KernelEvent;
}

const { event_kind } = raw;

/** Every kind of record but the two that make up an exec. */
const KINDS: Readonly<Record<number, Kind>> = {
  [event_kind.EVENT_PROCESS_FORK]: { size: raw.process_fork_event.size, decode: decodeFork },
  [event_kind.EVENT_PROCESS_EXIT]: { size: raw.process_exit_event.size, decode: decodeExit },
  [event_kind.EVENT_FILE_OPEN]: { size: raw.file_open_event.size, decode: decodeFileOpen },
  [event_kind.EVENT_FILE_IO]: { size: raw.file_io_event.size, decode: decodeFileIo },
  [event_kind.EVENT_FILE_CHANGE]: { size: raw.file_change_event.size, decode: decodeFileChange },
  [event_kind.EVENT_NET_OPEN]: { size: raw.net_open_event.size, decode: decodeNetOpen },
  [event_kind.EVENT_NET_IO]: { size: raw.net_io_event.size, decode: decodeNetIo },
  [event_kind.EVENT_NET_PAYLOAD]: { size: raw.net_payload_event.size, decode: decodeNetPayload },
  [event_kind.EVENT_TLS_DATA]: { size: raw.tls_data_event.size, decode: decodeTlsData },
  [event_kind.EVENT_TLS_CLOSE]: { size: raw.tls_close_event.size, decode: decodeTlsClose },
  [event_kind.EVENT_TLS_BINDING]: { size: raw.tls_binding_event.size, decode: decodeTlsBinding },
  [event_kind.EVENT_PLAIN_DATA]: { size: raw.plain_data_event.size, decode: decodePlainData },
  [event_kind.EVENT_PIPE_END]: { size: raw.pipe_end_event.size, decode: decodePipeEnd },
  [event_kind.EVENT_AGENT_SEEN]: { size: raw.agent_seen_event.size, decode: decodeAgentSeen },
  [event_kind.EVENT_BLIND_SPOT]: { size: raw.blind_spot_event.size, decode: decodeBlindSpot },
};

/**
 * Makes events of records, and passes facts on. Exec events come out when all their arguments are there; records that never
 * came are told as `loss` events. Nothing that comes out refers to a record's memory.
 */
export function createDecode(options: { readonly counters: Counters }, next: Stage<Event>): Intake {
  const { counters } = options;
  let reader: Omit<EventBase, 'ktime_ns'> = { process: '0:0', pid: 0, tid: 0 };
  let newest_ns = 0n;
  let missing = 0;
  let reportedMissing = 0;

  const tellLoss = (count: number, ktime_ns: bigint): void => {
    missing += count;
    counters.lost('kernel.lost_records', count);
    next.push({ kind: 'loss', ...reader, ktime_ns, reason: 'lost_records', count });
  };
  const sequence = new SequenceCheck(tellLoss);
  const execs = new ExecJoiner(counters, (event) => next.push(event));

  const decode = (bytes: Buffer): void => {
    if (bytes.length < raw.event_header.size) throw new MalformedRecord();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const header = raw.event_header.read(view, 0);
    const base = baseOf(header);
    if (header.ktime_ns > newest_ns) newest_ns = header.ktime_ns;
    sequence.push(header.cpu, Number(header.sequence), header.ktime_ns);
    const record = (size: number): RingRecord => {
      if (bytes.length < size) throw new MalformedRecord();
      return new RingRecord(bytes, view, base, size);
    };
    if (header.kind === event_kind.EVENT_PROCESS_ARGS) {
      execs.pushArguments(decodeArguments(record(raw.process_args_event.size)));
      return;
    }
    if (header.kind === event_kind.EVENT_PROCESS_EXEC) {
      execs.pushExec(decodeExec(record(raw.process_exec_event.size)));
      return;
    }
    execs.flush(base.process);
    const kind = KINDS[header.kind];
    if (kind === undefined) throw new MalformedRecord();
    next.push(kind.decode(record(kind.size)));
  };

  return {
    pushRecord(record) {
      try {
        decode(record instanceof Buffer ? record : Buffer.from(record.buffer, record.byteOffset, record.byteLength));
      } catch (error) {
        if (!(error instanceof MalformedRecord)) throw error;
        counters.lost('kernel.malformed_record');
      }
    },
    pushFact(event) {
      if (event.ktime_ns > newest_ns) newest_ns = event.ktime_ns;
      if (event.kind === 'session') reader = { process: event.process, pid: event.pid, tid: event.tid };
      if (event.kind === 'loss') {
        counters.lost(`kernel.${event.reason}`, event.count);
        // Those show as gaps between the numbers of records too.
        if (LOST_RECORD_REASONS.has(event.reason)) {
          reportedMissing += event.count;
          return;
        }
      }
      next.push(event);
    },
    tick(now_ns) {
      sequence.tick();
      execs.tick(now_ns);
      next.tick?.(now_ns);
    },
    close() {
      execs.close();
      sequence.close();
      // What was lost at the very end leaves no gap behind.
      if (reportedMissing > missing) tellLoss(reportedMissing - missing, newest_ns);
      return next.close?.();
    },
  };
}
