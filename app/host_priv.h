/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HOST_PRIV_H
#define HOST_PRIV_H

#include "host.h"

/** The steps of host_start and host_stop. Those that return a number return 0, or an exit code after
 *  having said why. */

/** As host_check_address, for an IPv6 address; remedy ends the sentence. */
int host_check_address6(const struct host *h, const struct ipv6_addr *own, const char *remedy);

/** As host_check_address, of all that are known before the port is up. */
int host_check_addresses(const struct host *h);

/** Binds a PCI NIC that the kernel has, before the EAL looks for it. */
int host_bind_nic(struct host *h);

/** Gives it back, after the EAL has let go. */
int host_release_nic(struct host *h);

/** EAL and the port. */
int host_start_port(struct host *h);

/** --pcap and --pcap-on-error, on the open port: before the netstack. */
int host_start_capture(struct host *h);

/** Ends them, when no worker runs any more. 0, or EXIT_CODE_REPORT after having said why. Idempotent. */
int host_stop_capture(struct host *h);

/** Waits for the port's link, up to --link-timeout; the monitor must run. */
int host_wait_link(struct host *h);

/** Warns, once, where threads of workers could not be bound to their CPUs. */
void host_warn_unpinned(struct host *h);

/** Tells of port and addresses, with -v. */
void host_describe(const struct host *h);

/** The netstack and its worker, on the open port. */
int host_start_netstack(struct host *h);

/** Closes or resets the connections within a bounded time, about a second. Work for a crew (crew_run): what one worker
 *  waits for may arrive on the queue of another. ctx is not used. */
void host_drain_netstack(struct host *h, void *ctx);

/** Gives a lease back, frees the netstack; after the other. */
void host_stop_netstack(struct host *h);

/** Each connection of the kernel's is an open file; raises the usual limit of 1024 where need be. */
int host_allow_files(const struct host *h);

/** Pins this thread, and opens the kernel's transport. */
int host_start_kernel(struct host *h);

#endif
