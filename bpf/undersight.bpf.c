// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* One object, so that its parts share maps and functions. */
#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#pragma clang diagnostic push
#pragma clang diagnostic error "-Wpadded"
#include "events.h"
#pragma clang diagnostic pop

#include "kernel.h"
#include "common.bpf.h"
#include "path.bpf.h"
#include "syscall.bpf.h"
#include "plain-state.bpf.h"
#include "account.bpf.h"
#include "sweep.bpf.h"
#include "address.bpf.h"
#include "function.bpf.h"
#include "go-abi.bpf.h"
#include "tls-binding.bpf.h"
#include "tls-slot.bpf.h"
#include "rustls-binding.bpf.h"
#include "tls-call.bpf.h"
#include "discover.bpf.h"

#include "process.bpf.c"
#include "file.bpf.c"
#include "net.bpf.c"
#include "plain.bpf.h"
#include "plain-socket.bpf.h"
#include "plain-pipe.bpf.h"
#include "transfer.bpf.h"
#include "io.bpf.c"
#include "rustls-layout.bpf.h"
#include "rustls-call.bpf.h"
#include "rustls.bpf.h"
#include "tls.bpf.c"
#include "rustls.bpf.c"
#include "go-call.bpf.h"
#include "go-tls.bpf.c"
#include "io-uring.bpf.c"
#include "syscall.bpf.c"

char LICENSE[] SEC("license") = "GPL";

/* A type that no map and no global uses is absent from the object's BTF: these pointers put it there. */
#define EXPORT(kind, name) const kind name *export_##name __attribute__((unused))
EXPORT(enum, event_kind);
EXPORT(enum, origin);
EXPORT(enum, file_operation);
EXPORT(enum, net_operation);
EXPORT(enum, net_payload);
EXPORT(enum, tls_direction);
EXPORT(enum, plain_channel);
EXPORT(enum, plain_direction);
EXPORT(enum, pipe_end);
EXPORT(enum, tls_function);
EXPORT(enum, tls_cookie);
EXPORT(enum, blind_spot);
EXPORT(enum, loss);
EXPORT(struct, event_header);
EXPORT(struct, process_fork_event);
EXPORT(struct, process_exec_event);
EXPORT(struct, process_args_event);
EXPORT(struct, process_exit_event);
EXPORT(struct, file_open_event);
EXPORT(struct, file_io_event);
EXPORT(struct, file_change_event);
EXPORT(struct, socket_address);
EXPORT(struct, net_open_event);
EXPORT(struct, net_io_event);
EXPORT(struct, net_payload_event);
EXPORT(struct, tls_data_event);
EXPORT(struct, tls_close_event);
EXPORT(struct, tls_binding_event);
EXPORT(struct, plain_data_event);
EXPORT(struct, pipe_end_event);
EXPORT(struct, agent_seen_event);
EXPORT(struct, blind_spot_event);
EXPORT(struct, tunables);
EXPORT(struct, target);
EXPORT(struct, process_snapshot);
