/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXIT_CODE_H
#define EXIT_CODE_H

/*
 * The program's exit codes. Below 100 they are curl's (curl(1), EXIT CODES; those of a transfer
 * are enum fetch_code); 110..125 are our own. Ctrl-C and SIGTERM end the program by that signal.
 */
enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_UNSUPPORTED_PROTOCOL = 1,
	EXIT_CODE_USAGE = 2,
	EXIT_CODE_URL_MALFORMED = 3,
	EXIT_CODE_COULDNT_RESOLVE_HOST = 6,
	EXIT_CODE_COULDNT_CONNECT = 7,
	EXIT_CODE_WRITE_ERROR = 23,
	EXIT_CODE_READ_ERROR = 26,
	EXIT_CODE_OUT_OF_MEMORY = 27,
	EXIT_CODE_ABORTED = 42,
	EXIT_CODE_INTERFACE_FAILED = 45, /* no address by DHCP, or the lease was lost */
	EXIT_CODE_SEND_ERROR = 55,
	EXIT_CODE_PORT = 110, /* the EAL or the port could not be set up */
	EXIT_CODE_LINK = 111, /* the link did not come up */
	EXIT_CODE_ADDRESS = 112, /* our address belongs to the kernel or to another host */
	EXIT_CODE_NUMA = 113, /* --strict-numa: core and NIC on different nodes */
	EXIT_CODE_CORE = 114, /* --core or --writer-core: not a CPU that we may run on */
	EXIT_CODE_REPORT = 115, /* --stats, --pcap and the like: the file could not be written */
	EXIT_CODE_INTERNAL = 116, /* received buffers were not given back: please report */
	EXIT_CODE_CHECKSUM = 117, /* --checksum: the body's digest differs */
	EXIT_CODE_LIMIT = 118, /* bench --fail-if: a condition holds */
	EXIT_CODE_BIND = 119, /* a NIC could not be bound or given back, or must not be */
	EXIT_CODE_DOCTOR = 120, /* doctor: something is in the way */
	EXIT_CODE_NIC_TEST = 121, /* nic test: a test failed */
};

#endif
