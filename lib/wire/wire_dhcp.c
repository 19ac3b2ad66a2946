/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "wire_dhcp.h"

/* Where the fields are, RFC 2131 §2 figure 1. */
#define AT_XID 4U
#define AT_SECS 8U
#define AT_FLAGS 10U
#define AT_CIADDR 12U
#define AT_YIADDR 16U
#define AT_GIADDR 24U
#define AT_CHADDR 28U
#define AT_SNAME 44U
#define SNAME_LEN 64U
#define AT_FILE 108U
#define FILE_LEN 128U
#define AT_COOKIE 236U
#define AT_OPTIONS 240U

#define COOKIE UINT32_C(0x63825363) /* 99.130.83.99 */
#define FLAG_BROADCAST 0x8000U
#define HARDWARE_ETHERNET 1U
#define MESSAGE_BYTES_WE_TAKE 1472U /* of an Ethernet frame without fragments */

enum option { /* RFC 2132 */
	OPTION_PAD = 0,
	OPTION_SUBNET_MASK = 1,
	OPTION_ROUTER = 3,
	OPTION_DNS = 6,
	OPTION_MTU = 26,
	OPTION_REQUESTED = 50,
	OPTION_LEASE = 51,
	OPTION_OVERLOAD = 52,
	OPTION_TYPE = 53,
	OPTION_SERVER_ID = 54,
	OPTION_PARAMETERS = 55,
	OPTION_TEXT = 56,
	OPTION_MAX_SIZE = 57,
	OPTION_T1 = 58,
	OPTION_T2 = 59,
	OPTION_CLIENT_ID = 61,
	OPTION_END = 255,
};

enum overload { OVERLOAD_FILE = 1, OVERLOAD_SNAME = 2 };

/* A field that holds options. */
struct area {
	const uint8_t *data;
	uint32_t len;
};

/* The fields that hold options, in the order in which RFC 3396 §5 joins them. */
struct areas {
	struct area area[3];
	uint32_t count;
};

/* The next option of a field from *at on. 1: *ret_code and *ret are its code and value; 0: the
 * field's options are over; -1: it passes the field's end. */
static int
next_option(const struct area *a, uint32_t *at, uint8_t *ret_code, struct area *ret)
{
	while (*at < a->len && a->data[*at] == OPTION_PAD)
		(*at)++;
	if (*at >= a->len || a->data[*at] == OPTION_END)
		return 0;
	if (a->len - *at < 2 || a->data[*at + 1] > a->len - *at - 2)
		return -1;
	*ret_code = a->data[*at];
	*ret = (struct area){a->data + *at + 2, a->data[*at + 1]};
	*at += 2 + ret->len;
	return 1;
}

/* Do the field's options end inside it? Finds option 52 on the way. */
static bool
check_area(const struct area *a, uint8_t *overload)
{
	struct area value;
	uint32_t at = 0;
	uint8_t code;
	int rc;

	while ((rc = next_option(a, &at, &code, &value)) > 0) {
		if (code != OPTION_OVERLOAD)
			continue;
		if (value.len != 1 || value.data[0] > (OVERLOAD_FILE | OVERLOAD_SNAME))
			return false;
		*overload = value.data[0];
	}
	return rc == 0;
}

static bool
find_areas(const uint8_t *data, uint32_t len, struct areas *ret)
{
	uint8_t overload = 0, nested = 0; /* option 52 counts in the options field only */

	ret->area[0] = (struct area){data + AT_OPTIONS, len - AT_OPTIONS};
	ret->count = 1;
	if (!check_area(&ret->area[0], &overload))
		return false;
	if (overload & OVERLOAD_FILE)
		ret->area[ret->count++] = (struct area){data + AT_FILE, FILE_LEN};
	if (overload & OVERLOAD_SNAME)
		ret->area[ret->count++] = (struct area){data + AT_SNAME, SNAME_LEN};
	return (ret->count < 2 || check_area(&ret->area[1], &nested)) &&
	       (ret->count < 3 || check_area(&ret->area[2], &nested));
}

/* Joins all pieces of an option (RFC 3396 §7) and returns its whole length, of which the first
 * room bytes are in buf. */
static uint32_t
join(const struct areas *areas, enum option wanted, uint8_t *buf, uint32_t room)
{
	uint32_t i, at, len = 0, n;
	struct area value;
	uint8_t code;

	for (i = 0; i < areas->count; i++) {
		for (at = 0; next_option(&areas->area[i], &at, &code, &value) > 0;) {
			if (code != wanted)
				continue;
			n = len < room ? MIN_OF(value.len, room - len) : 0;
			if (n > 0)
				memcpy(buf + len, value.data, n);
			len += value.len;
		}
	}
	return len;
}

/* A number of `bytes` bytes, 1, 2 or 4; *ret stays as it is where the option is absent. */
static bool
read_number(const struct areas *areas, enum option option, uint32_t bytes, uint32_t *ret)
{
	uint8_t buf[4] = {0};
	uint32_t len = join(areas, option, buf, sizeof(buf));

	if (len == 0)
		return true;
	if (len != bytes)
		return false;
	*ret = be32_load(buf) >> (32 - 8 * bytes);
	return true;
}

/* The addresses of a list, as many as there is room for. */
static bool
read_addresses(const struct areas *areas, enum option option, uint32_t *ret, uint32_t max,
	uint32_t *ret_count)
{
	uint8_t buf[4 * DHCP_DNS_MAX];
	uint32_t len = join(areas, option, buf, 4 * max), i;

	if (len % 4 != 0)
		return false;
	*ret_count = MIN_OF(len / 4, max);
	for (i = 0; i < *ret_count; i++)
		ret[i] = be32_load(buf + 4 * (size_t)i);
	return true;
}

static void
read_text(const struct areas *areas, char *ret)
{
	uint32_t len = join(areas, OPTION_TEXT, (uint8_t *)ret, DHCP_TEXT_MAX - 1), i;

	len = MIN_OF(len, DHCP_TEXT_MAX - 1);
	for (i = 0; i < len && ret[i] != '\0'; i++) {
		if (ret[i] < ' ' || ret[i] > '~')
			ret[i] = '?';
	}
	memset(ret + i, 0, DHCP_TEXT_MAX - i);
}

static bool
read_options(const struct areas *areas, struct dhcp_message *m)
{
	uint32_t type = 0, mtu = 0, routers;

	if (!read_number(areas, OPTION_TYPE, 1, &type) ||
		!read_number(areas, OPTION_MTU, 2, &mtu) ||
		!read_number(areas, OPTION_REQUESTED, 4, &m->requested) ||
		!read_number(areas, OPTION_SERVER_ID, 4, &m->server_id) ||
		!read_number(areas, OPTION_SUBNET_MASK, 4, &m->subnet_mask) ||
		!read_number(areas, OPTION_LEASE, 4, &m->lease_s) ||
		!read_number(areas, OPTION_T1, 4, &m->t1_s) ||
		!read_number(areas, OPTION_T2, 4, &m->t2_s) ||
		!read_addresses(areas, OPTION_ROUTER, &m->router, 1, &routers) ||
		!read_addresses(areas, OPTION_DNS, m->dns, DHCP_DNS_MAX, &m->dns_count))
		return false;
	m->type = (uint8_t)type;
	m->mtu = (uint16_t)mtu;
	read_text(areas, m->text);
	return true;
}

enum drop_reason
wire_dhcp_parse(const uint8_t *data, uint32_t len, struct dhcp_message *ret)
{
	struct dhcp_message m = {0};
	struct areas areas;

	if (len < AT_OPTIONS || data[1] != HARDWARE_ETHERNET || data[2] != ETHER_ADDR_LEN ||
		be32_load(data + AT_COOKIE) != COOKIE || !find_areas(data, len, &areas))
		return DROP_DHCP_MALFORMED;
	m.op = data[0];
	m.xid = be32_load(data + AT_XID);
	m.secs = be16_load(data + AT_SECS);
	m.broadcast = (be16_load(data + AT_FLAGS) & FLAG_BROADCAST) != 0;
	m.ciaddr = be32_load(data + AT_CIADDR);
	m.yiaddr = be32_load(data + AT_YIADDR);
	m.giaddr = be32_load(data + AT_GIADDR);
	memcpy(m.chaddr.byte, data + AT_CHADDR, ETHER_ADDR_LEN);
	if (!read_options(&areas, &m))
		return DROP_DHCP_MALFORMED;
	*ret = m;
	return DROP_NONE;
}

/* ---- building; each writes at *p and moves it on ---- */

static void
put_number(uint8_t **p, enum option option, uint32_t bytes, uint32_t value)
{
	uint8_t buf[4];

	be32_store(buf, value << (32 - 8 * bytes));
	(*p)[0] = (uint8_t)option;
	(*p)[1] = (uint8_t)bytes;
	memcpy(*p + 2, buf, bytes);
	*p += 2 + bytes;
}

static void
put_present(uint8_t **p, enum option option, uint32_t value)
{
	if (value != 0)
		put_number(p, option, 4, value);
}

static void
put_client_id(uint8_t **p, const struct ether_addr *mac)
{
	(*p)[0] = OPTION_CLIENT_ID;
	(*p)[1] = 1 + ETHER_ADDR_LEN;
	(*p)[2] = HARDWARE_ETHERNET;
	memcpy(*p + 3, mac->byte, ETHER_ADDR_LEN);
	*p += 3 + ETHER_ADDR_LEN;
}

static void
put_wishes(uint8_t **p)
{
	static const uint8_t wishes[] = {OPTION_SUBNET_MASK, OPTION_ROUTER, OPTION_DNS, OPTION_MTU,
		OPTION_LEASE, OPTION_T1, OPTION_T2};

	put_number(p, OPTION_MAX_SIZE, 2, MESSAGE_BYTES_WE_TAKE);
	(*p)[0] = OPTION_PARAMETERS;
	(*p)[1] = sizeof(wishes);
	memcpy(*p + 2, wishes, sizeof(wishes));
	*p += 2 + sizeof(wishes);
}

static void
put_reply(uint8_t **p, const struct dhcp_message *m)
{
	uint32_t i;

	put_present(p, OPTION_SUBNET_MASK, m->subnet_mask);
	put_present(p, OPTION_ROUTER, m->router);
	put_present(p, OPTION_LEASE, m->lease_s);
	put_present(p, OPTION_T1, m->t1_s);
	put_present(p, OPTION_T2, m->t2_s);
	if (m->mtu != 0)
		put_number(p, OPTION_MTU, 2, m->mtu);
	if (m->dns_count == 0)
		return;
	*(*p)++ = OPTION_DNS;
	*(*p)++ = (uint8_t)(4 * m->dns_count);
	for (i = 0; i < m->dns_count; i++, *p += 4)
		be32_store(*p, m->dns[i]);
}

static void
put_fields(uint8_t *p, const struct dhcp_message *m)
{
	memset(p, 0, DHCP_MESSAGE_LEN_MAX);
	p[0] = m->op;
	p[1] = HARDWARE_ETHERNET;
	p[2] = ETHER_ADDR_LEN;
	be32_store(p + AT_XID, m->xid);
	be16_store(p + AT_SECS, m->secs);
	be16_store(p + AT_FLAGS, m->broadcast ? FLAG_BROADCAST : 0);
	be32_store(p + AT_CIADDR, m->ciaddr);
	be32_store(p + AT_YIADDR, m->yiaddr);
	be32_store(p + AT_GIADDR, m->giaddr);
	memcpy(p + AT_CHADDR, m->chaddr.byte, ETHER_ADDR_LEN);
	be32_store(p + AT_COOKIE, COOKIE);
}

uint32_t
wire_dhcp_build(uint8_t *p, const struct dhcp_message *m)
{
	uint8_t *at = p + AT_OPTIONS;
	uint32_t len;

	put_fields(p, m);
	if (m->type != DHCP_TYPE_NONE)
		put_number(&at, OPTION_TYPE, 1, m->type);
	put_present(&at, OPTION_REQUESTED, m->requested);
	put_present(&at, OPTION_SERVER_ID, m->server_id);
	if (m->op == DHCP_OP_REQUEST)
		put_client_id(&at, &m->chaddr);
	else
		put_reply(&at, m);
	if (m->type == DHCP_TYPE_DISCOVER || m->type == DHCP_TYPE_REQUEST)
		put_wishes(&at);
	*at++ = OPTION_END;
	len = (uint32_t)(at - p);
	return MAX_OF(len, DHCP_MESSAGE_LEN_MIN);
}
