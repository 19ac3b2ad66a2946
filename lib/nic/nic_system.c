/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "nic_interface.h"
#include "nic_kernel.h"
#include "nic_system.h"

static int
each_link(void *ctx, nic_link_fn visit, void *visit_ctx)
{
	struct if_nameindex *list = if_nameindex(), *at;
	struct nic_info info;

	(void)ctx;
	if (list == NULL)
		return -errno;
	for (at = list; at->if_index != 0; at++) {
		if (nic_interface_read(at->if_name, &info) == 0)
			visit(visit_ctx, &info);
	}
	if_freenameindex(list);
	return 0;
}

static bool
address_owner(void *ctx, int family, const uint8_t *address, char *ret_interface)
{
	uint32_t v4;

	(void)ctx;
	if (family == 6)
		return nic_kernel_owns_address6(address, ret_interface) == 1;
	memcpy(&v4, address, sizeof(v4));
	return nic_kernel_owns_address(ntohl(v4), ret_interface) == 1;
}

static int
write_file(void *ctx, const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;

	(void)ctx;
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

static int
try_open(void *ctx, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	(void)ctx;
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int
state_save(void *ctx, const char *interface, json_t **ret)
{
	(void)ctx;
	return nic_state_save(interface, ret);
}

static int
state_apply(void *ctx, const char *interface, json_t *state, nic_say_fn say, void *say_ctx)
{
	(void)ctx;
	return nic_state_apply(interface, state, say, say_ctx);
}

static void
pause_ms(void *ctx, uint32_t ms)
{
	const struct timespec wait = {
		.tv_sec = ms / 1000U, .tv_nsec = (long)(ms % 1000U) * 1000000L};

	(void)ctx;
	nanosleep(&wait, NULL);
}

static const struct nic_kernel host_kernel = {
	.each_link = each_link,
	.address_owner = address_owner,
	.write = write_file,
	.load_module = nic_kernel_load_module,
	.try_open = try_open,
	.state_save = state_save,
	.state_apply = state_apply,
	.namespace_save = nic_kernel_namespace_save,
	.namespace_enter = nic_kernel_namespace_enter,
	.namespace_leave = nic_kernel_namespace_leave,
	.links_fetch = nic_kernel_links_fetch,
	.pause = pause_ms,
};

struct nic_system
nic_system_host(void)
{
	return (struct nic_system){.root = "", .kernel = &host_kernel};
}

void
nic_system_path(const struct nic_system *s, char ret[NIC_PATH_MAX], const char *format, ...)
{
	int used = snprintf(ret, NIC_PATH_MAX, "%s", s->root);
	va_list args;

	if (used < 0 || (unsigned int)used >= NIC_PATH_MAX)
		return;
	va_start(args, format);
	(void)vsnprintf(ret + used, NIC_PATH_MAX - (unsigned int)used, format, args);
	va_end(args);
}
