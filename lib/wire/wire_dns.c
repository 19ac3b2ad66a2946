/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/nameser.h>
#include <errno.h>
#include <strings.h>

#include "base_bytes.h"
#include "wire_dns.h"

#define FLAG_RD 0x0100U /* recursion desired, RFC 1035 §4.1.1 */
#define OPT_LEN 11U /* an OPT record without options, RFC 6891 §6.1.2 */

static void
write_opt(uint8_t *p)
{
	memset(p, 0, OPT_LEN); /* root name, version 0, no flags, no options */
	be16_store(p + 1, ns_t_opt);
	be16_store(p + 3, DNS_EDNS_UDP_BYTES);
}

/* Is the name one that a host can have? ns_name_pton takes the root, too. */
static bool
is_name(const char *name)
{
	return name[0] != '\0' && strcmp(name, ".") != 0;
}

int
wire_dns_build_query(uint8_t *p, uint32_t room, const struct dns_query *query)
{
	uint8_t name[NS_MAXCDNAME];
	const uint8_t *end = name;
	uint32_t len = DNS_HEADER_LEN, name_len;

	if (!is_name(query->name) || ns_name_pton(query->name, name, sizeof(name)) < 0 ||
		ns_name_skip(&end, name + sizeof(name)) != 0)
		return -EINVAL;
	name_len = (uint32_t)(end - name);
	if (room < DNS_HEADER_LEN + name_len + 4 + (query->edns ? OPT_LEN : 0))
		return -EMSGSIZE;
	memset(p, 0, DNS_HEADER_LEN);
	be16_store(p, query->id);
	be16_store(p + 2, FLAG_RD);
	be16_store(p + 4, 1); /* questions */
	be16_store(p + 10, query->edns ? 1 : 0); /* additional records */
	memcpy(p + len, name, name_len);
	len += name_len;
	be16_store(p + len, (uint16_t)query->type);
	be16_store(p + len + 2, ns_c_in);
	len += 4;
	if (query->edns)
		write_opt(p + len);
	return (int)(len + (query->edns ? OPT_LEN : 0));
}

/* Names compare without case (RFC 4343); escapes are written in one way only. */
static bool
same_name(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);

	a_len -= a_len > 0 && a[a_len - 1] == '.';
	b_len -= b_len > 0 && b[b_len - 1] == '.';
	return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

static bool
is_question(ns_msg *m, const struct dns_query *query)
{
	ns_rr question;

	/* RFC 6891 §7: who cannot read EDNS need not repeat what he did not understand. */
	if (ns_msg_count(*m, ns_s_qd) == 0)
		return ns_msg_getflag(*m, ns_f_rcode) == DNS_RCODE_FORMERR;
	return ns_msg_count(*m, ns_s_qd) == 1 && ns_parserr(m, ns_s_qd, 0, &question) == 0 &&
	       ns_rr_class(question) == ns_c_in && ns_rr_type(question) == (ns_type)query->type &&
	       same_name(ns_rr_name(question), query->name);
}

static bool
is_answer_to(ns_msg *m, const struct dns_query *query)
{
	return ns_msg_id(*m) == query->id && ns_msg_getflag(*m, ns_f_qr) == 1 &&
	       ns_msg_getflag(*m, ns_f_opcode) == ns_o_query && is_question(m, query);
}

enum walk {
	WALK_END, /* no more records of this name */
	WALK_ALIAS, /* the name is an alias: *name is what for */
	WALK_MALFORMED,
};

static uint32_t
address_len(enum dns_type type)
{
	return type == DNS_TYPE_A ? 4 : 16;
}

static bool
add_address(const ns_rr *rr, enum dns_type type, struct dns_answer *answer)
{
	if (ns_rr_rdlen(*rr) != address_len(type))
		return false;
	if (answer->count < DNS_ADDRESSES_MAX)
		memcpy(answer->address[answer->count++], ns_rr_rdata(*rr), address_len(type));
	return true;
}

/* Goes through the answer section once, for answer->name. */
static enum walk
walk_answers(ns_msg *m, enum dns_type type, struct dns_answer *answer)
{
	int i, count = ns_msg_count(*m, ns_s_an);
	char alias[DNS_NAME_MAX];
	bool is_alias = false;
	ns_rr rr;

	for (i = 0; i < count; i++) {
		if (ns_parserr(m, ns_s_an, i, &rr) != 0)
			return WALK_MALFORMED;
		if (ns_rr_class(rr) != ns_c_in || !same_name(ns_rr_name(rr), answer->name))
			continue;
		if (ns_rr_type(rr) == (ns_type)type) {
			if (!add_address(&rr, type, answer))
				return WALK_MALFORMED;
		} else if (ns_rr_type(rr) == ns_t_cname) {
			if (ns_name_uncompress(ns_msg_base(*m), ns_msg_end(*m), ns_rr_rdata(rr),
				    alias, sizeof(alias)) < 0)
				return WALK_MALFORMED;
			is_alias = true;
		}
	}
	if (!is_alias || answer->count > 0)
		return WALK_END;
	memcpy(answer->name, alias, sizeof(alias));
	return WALK_ALIAS;
}

enum drop_reason
wire_dns_parse(
	const uint8_t *data, uint32_t len, const struct dns_query *query, struct dns_answer *ret)
{
	struct dns_answer answer = {0};
	enum walk walk = WALK_ALIAS;
	uint32_t i;
	ns_msg m;

	if (len > UINT16_MAX || ns_initparse(data, (int)len, &m) != 0)
		return DROP_DNS_MALFORMED;
	if (!is_answer_to(&m, query))
		return DROP_DNS_MISMATCH;
	answer.rcode = (uint8_t)ns_msg_getflag(m, ns_f_rcode);
	answer.truncated = ns_msg_getflag(m, ns_f_tc) == 1;
	if (ns_msg_count(m, ns_s_an) > DNS_RECORDS_MAX)
		return DROP_DNS_MALFORMED;
	memcpy(answer.name, query->name, sizeof(answer.name));
	if (answer.rcode == DNS_RCODE_NOERROR && !answer.truncated) {
		for (i = 0; walk == WALK_ALIAS && i <= DNS_CNAMES_MAX; i++)
			walk = walk_answers(&m, query->type, &answer);
		if (walk != WALK_END)
			return DROP_DNS_MALFORMED;
	}
	*ret = answer;
	return DROP_NONE;
}
