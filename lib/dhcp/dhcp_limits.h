/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DHCP_LIMITS_H
#define DHCP_LIMITS_H

#include "base_time.h"

/* RFC 2131 §4.1: 4 s, doubled up to 64 s, each one second more or less at random. */
#define DHCP_RETRY_FIRST_NS (4 * NS_PER_SEC)
#define DHCP_RETRY_MAX_NS (64 * NS_PER_SEC)
#define DHCP_RETRY_JITTER_NS NS_PER_SEC

#define DHCP_REQUEST_TRIES 4U /* of one offer, 60 s in all (RFC 2131 §3.1.5) */
#define DHCP_RENEW_RETRY_MIN_NS (60 * NS_PER_SEC) /* §4.4.5 */
#define DHCP_DECLINE_WAIT_NS (10 * NS_PER_SEC) /* §3.1.5: at least */
#define DHCP_NAK_WAIT_NS NS_PER_SEC /* so that a server that offers and refuses gets no flood */
#define DHCP_MTU_MIN 576U /* RFC 791: a smaller option 26 is a mistake, and would harm TCP */
#define DHCP_LEASE_FOR_EVER UINT32_MAX /* RFC 2131 §3.3 */

#endif
