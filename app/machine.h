/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What /proc and /sys tell of CPUs, processes and network namespaces, so that the cost of a load can be told
 * beside its result. Reads only. */

#define MACHINE_CPUS_MAX 1024U

/** What one CPU did, in ns since the machine's start (proc_stat(5)). */
struct machine_cpu {
	uint64_t user_ns; /* with nice; guests are in it */
	uint64_t system_ns;
	uint64_t softirq_ns; /* softirq and irq: where the kernel's receive path runs */
	uint64_t steal_ns; /* taken by the hypervisor */
	uint64_t idle_ns; /* with iowait */
};

/** All that is sampled at one moment. */
struct machine_sample {
	uint32_t cpus;
	struct machine_cpu cpu[MACHINE_CPUS_MAX];
	/* of the server's process and its children, if one was named */
	bool server; /* it was found */
	uint64_t server_cpu_ns; /* user and system */
	uint64_t server_retransmits; /* TcpRetransSegs of its network namespace */
	/* of the interface, if it is one of the kernel's */
	bool interface;
	uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes;
};

/** Samples. server: its pid, 0: none. interface: its name, NULL: none. What cannot be read is not
 *  there. */
void machine_sample_take(struct machine_sample *ret, pid_t server, const char *interface);

/** Takes from s what had been counted earlier. */
void machine_sample_subtract(struct machine_sample *s, const struct machine_sample *earlier);

/** Not idle. */
uint64_t machine_cpu_busy_ns(const struct machine_cpu *c);

/** May the process, or any of its children, run on this CPU? */
bool machine_process_may_use(pid_t pid, int cpu);

/** Is there such a process? */
bool machine_process_exists(pid_t pid);

/* -- What a measurement's figures depend on. Each writes a text, with its end, to buf of room bytes, cut
 * short where it is longer. -- */

/** The first line of a file, without its end. "": it cannot be read. */
void machine_first_line(const char *path, char *buf, size_t room);

/** The first CPU's model, as /proc/cpuinfo has it. "unknown": it does not say. */
void machine_cpu_model(char *buf, size_t room);

/** The first CPU's frequency governor. "none": frequencies are not the kernel's to choose, as in a virtual
 *  machine. */
void machine_governor(char *buf, size_t room);

#endif
