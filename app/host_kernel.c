/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <sys/resource.h>

#include "affinity.h"
#include "base_bytes.h"
#include "exit_code.h"
#include "host_priv.h"
#include "kernel_transport.h"
#include "nic_info.h"

#define FILES_BESIDE 64U /* open ones that are no connections */

int
host_allow_files(const struct host *h)
{
	rlim_t need = (rlim_t)h->settings->connections + FILES_BESIDE;
	struct rlimit now, all = {need, need};

	if (getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur >= need)
		return 0;
	all.rlim_max = MAX_OF(now.rlim_max, need);
	if (setrlimit(RLIMIT_NOFILE, &all) == 0)
		return 0;
	message_error(&h->level, EXIT_CODE_USAGE,
		"%llu connections of the kernel's need as many open files, and %llu are allowed "
		"(ulimit -Hn): use fewer or raise the limit",
		(unsigned long long)h->settings->connections, (unsigned long long)now.rlim_max);
	return EXIT_CODE_USAGE;
}

int
host_start_kernel(struct host *h)
{
	struct kernel_transport_config cfg;
	struct nic_info nic;
	int rc;

	h->pin_error = affinity_pin(h->core);
	kernel_transport_config_defaults(&cfg);
	cfg.connections_max = h->capacity.connections;
	cfg.interface = h->settings->nic;
	if (cfg.interface != NULL && nic_info_find(cfg.interface, &nic) == 0 &&
		nic.interface[0] != '\0')
		cfg.interface = nic.interface; /* it may be named by its PCI address */
	rc = kernel_transport_create(&cfg, &h->kernel);
	if (rc == 0) {
		message_detail(&h->level, "the kernel's stack, from CPU %d", h->core);
		return 0;
	}
	message_error(&h->level, EXIT_CODE_PORT, "the kernel's sockets could not be set up%s%s: %s",
		cfg.interface != NULL ? " on " : "", cfg.interface != NULL ? cfg.interface : "",
		strerror(-rc));
	return EXIT_CODE_PORT;
}
