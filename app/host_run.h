/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HOST_RUN_H
#define HOST_RUN_H

#include "host.h"
#include "machine.h"
#include "transport.h"

/* What is the same over either stack: the connections, the clock, the loop. */

/** Whose connections they are. */
struct transport host_transport(const struct host *h);

/** The loop's clock: ns, monotonic; of the stack that was started. */
uint64_t host_clock_ns(const struct host *h);

/** When poll has something to do by itself, on that clock; TIME_NEVER: never. */
typedef uint64_t (*host_deadline_fn)(void *ctx);

/**
 * The loop: lets the stack run and calls poll, until poll says stop. Our own stack busy-polls. The
 * kernel's is waited for, as a good client of it does: until an event, deadline's time, or 10 ms.
 */
void host_run(struct host *h, worker_poll_fn poll, host_deadline_fn deadline, void *ctx);

/** What there is to say of the port; over the kernel's stack of the interface, if one was named. */
void host_port_info(const struct host *h, struct port_info *ret);

/** Beside what the kernel's transport knows, is somebody else at work for the transfer, who sends no
 *  event (a file being opened or finished)? A deadline for host_run: soon. */
uint64_t host_look_again_ns(const struct host *h);

/** What CPUs, the server of --server-pid and --nic's interface have done so far. */
void host_sample_machine(const struct host *h, struct machine_sample *ret);

/** CPU time of this process so far, all threads: user and system, in ns. */
struct host_cpu_time {
	uint64_t user_ns, system_ns;
};
struct host_cpu_time host_cpu_time(void);

/** CPU time of the calling thread so far, ns. */
uint64_t host_thread_cpu_ns(void);

#endif
