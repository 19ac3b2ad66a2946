/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_DNS_H
#define WIRE_DNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base_counters.h"

/*
 * DNS messages of a stub resolver (RFC 1035 §4): a query out, its answer in. Reading the message
 * and its compressed names is the C library's (libresolv: ns_initparse and its kin, which are pure
 * and allocate nothing); what is looked for in it is ours. See docs/adr/dns-by-libresolv.md.
 */

#define DNS_PORT 53U
#define DNS_HEADER_LEN 12U
#define DNS_NAME_MAX 256U /* text and NUL; RFC 1035 §2.3.4 bounds a name to 255 bytes */
#define DNS_EDNS_UDP_BYTES 1232U /* what we say we take: fits IPv6's smallest MTU unfragmented */
#define DNS_QUERY_LEN_MAX (DNS_HEADER_LEN + 255U + 4U + 11U) /* name, type and class, EDNS */
#define DNS_ADDRESSES_MAX 16U /* of one answer; more are left out */
#define DNS_CNAMES_MAX 8U /* aliases followed in one answer */
#define DNS_RECORDS_MAX 256U /* in the answer section: bounds the work that an answer can make */

enum dns_type { /* RFC 1035 §3.2.2, RFC 3596 §2.1 */
	DNS_TYPE_A = 1,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_AAAA = 28,
};

enum dns_rcode { /* RFC 1035 §4.1.1; those that are told apart */
	DNS_RCODE_NOERROR = 0,
	DNS_RCODE_FORMERR = 1,
	DNS_RCODE_SERVFAIL = 2,
	DNS_RCODE_NXDOMAIN = 3,
	DNS_RCODE_NOTIMP = 4,
	DNS_RCODE_REFUSED = 5,
};

/** One question, class IN, recursion desired. */
struct dns_query {
	uint16_t id; /* unpredictable (RFC 5452 §9.2) */
	enum dns_type type; /* A or AAAA */
	bool edns; /* with an OPT record (RFC 6891) */
	char name[DNS_NAME_MAX]; /* text; a final dot makes no difference */
};

/** What an answer to that question says. */
struct dns_answer {
	uint8_t rcode; /* enum dns_rcode; any of 0..15 */
	bool truncated; /* TC: ask again by TCP (RFC 7766) */
	uint32_t count; /* addresses */
	uint8_t address[DNS_ADDRESSES_MAX][16]; /* network order; of A the first 4 bytes */
	/* The name that has them: the question's, or the end of its chain of aliases. With count 0
	 * and another name than the question's, the server did not follow the alias. */
	char name[DNS_NAME_MAX];
};

/**
 * Writes the query at p. Returns its length, up to DNS_QUERY_LEN_MAX; -EINVAL when the name is none
 * (empty, a label of more than 63 or a name of more than 255 bytes), -EMSGSIZE when it does not fit
 * into room bytes.
 */
int wire_dns_build_query(uint8_t *p, uint32_t room, const struct dns_query *query);

/**
 * Parses len bytes as the answer to query: id, question, opcode and the response bit must fit
 * (RFC 5452 §9.1; only a FORMERR may lack the question), and aliases are followed from the question's
 * name on only, DNS_CNAMES_MAX of them, whatever their order. Records of other names, types and
 * classes are skipped. Of a truncated answer and of an RCODE but NOERROR nothing else is read.
 * DROP_NONE; or, with *ret untouched, DROP_DNS_MISMATCH (not an answer to this query), or
 * DROP_DNS_MALFORMED (lengths or names that lie, an address of another length than its type's, a
 * chain of aliases that is too long or closed, more than DNS_RECORDS_MAX records).
 */
enum drop_reason wire_dns_parse(
	const uint8_t *data, uint32_t len, const struct dns_query *query, struct dns_answer *ret);

#endif
