/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <libkmod.h>

#include "nic_kernel.h"

static int
insert(struct kmod_ctx *kmod, const char *name)
{
	struct kmod_list *list = NULL, *at;
	struct kmod_module *module;
	int rc = kmod_module_new_from_lookup(kmod, name, &list);

	if (rc == 0 && list == NULL)
		return -ENOENT;
	kmod_list_foreach(at, list)
	{
		module = kmod_module_get_module(at);
		/* Also what it needs; a blacklist is about loading by itself. */
		rc = kmod_module_probe_insert_module(module, 0, NULL, NULL, NULL, NULL);
		kmod_module_unref(module);
		if (rc < 0)
			break;
	}
	kmod_module_unref_list(list);
	return rc < 0 ? rc : 0;
}

int
nic_kernel_load_module(void *ctx, const char *name)
{
	struct kmod_ctx *kmod = kmod_new(NULL, NULL);
	int rc;

	(void)ctx;
	if (kmod == NULL)
		return -ENOMEM;
	kmod_set_log_priority(kmod, 0);
	rc = insert(kmod, name);
	kmod_unref(kmod);
	return rc;
}
