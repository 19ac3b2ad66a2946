/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_FEATURES_H
#define NIC_FEATURES_H

#include <jansson.h>

/** The offloads of an interface that can be changed, by the kernel's names ("tx-checksum-ipv4"): true is
 *  asked for. 0 and *ret, an object of the caller's; -errno (-EOPNOTSUPP: it has none). */
int nic_features_save(const char *interface, json_t **ret);

/** Asks for what saved says, where it differs; names that this interface does not have are passed
 *  over. 0; -errno; 1: the kernel gave less than was asked for. */
int nic_features_apply(const char *interface, const json_t *saved);

#endif
