/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "nic_features.h"

#define BITS 32U /* in a block */
#define FEATURES_MAX 512U

/* The features' names, and what is so. */
struct features {
	int fd;
	char interface[IFNAMSIZ];
	uint32_t count;
	struct ethtool_gstrings *names;
	struct ethtool_gfeatures *now;
};

static int
ask(const struct features *f, void *command)
{
	struct ifreq req = {.ifr_data = command};

	memcpy(req.ifr_name, f->interface, sizeof(req.ifr_name));
	return ioctl(f->fd, SIOCETHTOOL, &req) < 0 ? -errno : 0;
}

static uint32_t
blocks(const struct features *f)
{
	return (f->count + BITS - 1U) / BITS;
}

static int
count_features(struct features *f)
{
	struct ethtool_sset_info *query = calloc(1, sizeof(*query) + sizeof(query->data[0]));
	int rc;

	if (query == NULL)
		return -ENOMEM;
	query->cmd = ETHTOOL_GSSET_INFO;
	query->sset_mask = 1ULL << ETH_SS_FEATURES;
	rc = ask(f, query);
	f->count = rc == 0 && query->sset_mask != 0 ? query->data[0] : 0;
	free(query);
	if (rc < 0)
		return rc;
	return f->count > 0 && f->count <= FEATURES_MAX ? 0 : -EOPNOTSUPP;
}

static int
read_features(struct features *f)
{
	int rc = count_features(f);

	if (rc < 0)
		return rc;
	f->names = calloc(1, sizeof(*f->names) + (size_t)f->count * ETH_GSTRING_LEN);
	f->now = calloc(1, sizeof(*f->now) + blocks(f) * sizeof(f->now->features[0]));
	if (f->names == NULL || f->now == NULL)
		return -ENOMEM;
	f->names->cmd = ETHTOOL_GSTRINGS;
	f->names->string_set = ETH_SS_FEATURES;
	f->names->len = f->count;
	f->now->cmd = ETHTOOL_GFEATURES;
	f->now->size = blocks(f);
	rc = ask(f, f->names);
	return rc < 0 ? rc : ask(f, f->now);
}

static int
open_features(const char *interface, struct features *f)
{
	int rc;

	*f = (struct features){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
	if (f->fd < 0)
		return -errno;
	(void)snprintf(f->interface, sizeof(f->interface), "%s", interface);
	rc = read_features(f);
	return rc;
}

static void
close_features(struct features *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->names);
	free(f->now);
}

static bool
is_changeable(const struct features *f, uint32_t i)
{
	const struct ethtool_get_features_block *b = &f->now->features[i / BITS];

	return (b->available & ~b->never_changed & (1U << i % BITS)) != 0;
}

static bool
is_asked_for(const struct features *f, uint32_t i)
{
	return (f->now->features[i / BITS].requested & (1U << i % BITS)) != 0;
}

static const char *
name_of(const struct features *f, uint32_t i, char buf[ETH_GSTRING_LEN + 1])
{
	(void)snprintf(buf, ETH_GSTRING_LEN + 1, "%.*s", ETH_GSTRING_LEN,
		(const char *)f->names->data + (size_t)i * ETH_GSTRING_LEN);
	return buf;
}

int
nic_features_save(const char *interface, json_t **ret)
{
	char name[ETH_GSTRING_LEN + 1];
	struct features f;
	int rc = open_features(interface, &f);
	uint32_t i;

	if (rc == 0) {
		*ret = json_object();
		for (i = 0; i < f.count; i++) {
			if (is_changeable(&f, i))
				json_object_set_new(*ret, name_of(&f, i, name),
					json_boolean(is_asked_for(&f, i)));
		}
	}
	close_features(&f);
	return rc;
}

/* What is to be asked for; how many features differ. */
static uint32_t
find_changes(const struct features *f, const json_t *saved, struct ethtool_sfeatures *wanted)
{
	char name[ETH_GSTRING_LEN + 1];
	const json_t *value;
	uint32_t i, n = 0;

	for (i = 0; i < f->count; i++) {
		value = json_object_get(saved, name_of(f, i, name));
		if (value == NULL || !is_changeable(f, i) ||
			json_is_true(value) == is_asked_for(f, i))
			continue;
		wanted->features[i / BITS].valid |= 1U << i % BITS;
		if (json_is_true(value))
			wanted->features[i / BITS].requested |= 1U << i % BITS;
		n++;
	}
	return n;
}

static int
apply(const struct features *f, const json_t *saved)
{
	struct ethtool_sfeatures *wanted =
		calloc(1, sizeof(*wanted) + blocks(f) * sizeof(wanted->features[0]));
	int rc = 0;

	if (wanted == NULL)
		return -ENOMEM;
	wanted->cmd = ETHTOOL_SFEATURES;
	wanted->size = blocks(f);
	if (find_changes(f, saved, wanted) > 0) {
		struct ifreq req = {.ifr_data = (char *)wanted};

		memcpy(req.ifr_name, f->interface, sizeof(req.ifr_name));
		rc = ioctl(f->fd, SIOCETHTOOL, &req);
		rc = rc < 0 ? -errno : (rc & ETHTOOL_F_UNSUPPORTED) != 0;
	}
	free(wanted);
	return rc;
}

int
nic_features_apply(const char *interface, const json_t *saved)
{
	struct features f;
	int rc = open_features(interface, &f);

	if (rc == 0)
		rc = apply(&f, saved);
	close_features(&f);
	return rc;
}
