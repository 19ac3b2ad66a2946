/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DNS_LIMITS_H
#define DNS_LIMITS_H

#include "base_time.h"

#define DNS_SERVERS_MAX 3U /* resolv.conf's MAXNS */

/* All servers in turn, twice. RFC 1035 §4.2.1 advises 2 to 5 s; glibc's 5 s twice would keep a
 * user whose first server is dead waiting longer than it takes to guess why. */
#define DNS_ROUNDS 2U
#define DNS_TIMEOUT_FIRST_NS (2 * NS_PER_SEC)
#define DNS_TIMEOUT_SECOND_NS (4 * NS_PER_SEC)
#define DNS_TIMEOUT_TCP_NS (5 * NS_PER_SEC) /* connection, question and answer */

#define DNS_TCP_PREFIX_LEN 2U /* RFC 1035 §4.2.2 */
#define DNS_TCP_MESSAGE_MAX 65535U

#endif
