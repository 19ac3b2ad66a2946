/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "settings_option.h"
#include "wire_ipv4.h"
#include "wire_ipv6.h"

#define IPV4_CLASS_D UINT32_C(0xe0000000) /* 224.0.0.0: multicast and above (RFC 1112) */
#define IPV4_LOOPBACK_NET 127U

static enum settings_result
wrong(char *message, const char *text)
{
	snprintf(message, SETTINGS_MESSAGE_MAX, "%s", text);
	return SETTINGS_USAGE;
}

static bool
is_host_address(uint32_t address)
{
	return address >> 24 != 0 && address >> 24 != IPV4_LOOPBACK_NET && address < IPV4_CLASS_D;
}

/* The network's own address and its broadcast address are no hosts (RFC 1122 §3.2.1.3). */
static bool
is_reserved_in_subnet(uint32_t address, uint8_t prefix_len)
{
	uint32_t host_bits = ~ipv4_prefix_mask(prefix_len);

	return prefix_len < 31 &&
	       ((address & host_bits) == 0 || (address & host_bits) == host_bits);
}

static enum settings_result
check_ipv6(const struct settings *s, char *message)
{
	struct ip_address address = ip_address_of_v6(&s->address6);
	char text[IP_ADDRESS_TEXT_LEN];

	if (!s->address6_auto &&
		(ipv6_addr_is_unspecified(&s->address6) || ipv6_addr_is_loopback(&s->address6) ||
			ipv6_addr_is_multicast(&s->address6))) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"--address6: %s is not the address of a host; choose one inside the "
			"link's prefix",
			ip_address_format(&address, text));
		return SETTINGS_USAGE;
	}
	if (!ipv6_addr_is_unspecified(&s->gateway6) && ipv6_addr_equal(&s->gateway6, &s->address6))
		return wrong(message, "--gateway6 is our own --address6; it must be the router's");
	if (s->mtu < IPV6_MTU_MIN)
		return wrong(message, "--mtu: IPv6 needs 1280 bytes at least (RFC 8200)");
	return SETTINGS_OK;
}

static enum settings_result
check_ipv4(const struct settings *s, char *message)
{
	char text[IPV4_ADDR_TEXT_LEN];

	if (s->address_dhcp)
		return SETTINGS_OK;
	if (!is_host_address(s->address) || is_reserved_in_subnet(s->address, s->prefix_len)) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"--address: %s/%u is not the address of a host; choose one inside the "
			"subnet",
			ipv4_addr_format(s->address, text), s->prefix_len);
		return SETTINGS_USAGE;
	}
	if (s->gateway != 0 && s->gateway == s->address)
		return wrong(message, "--gateway is our own --address; it must be the router's");
	if (s->gateway != 0 && !s->gateway_mac_set &&
		((s->gateway ^ s->address) & ipv4_prefix_mask(s->prefix_len)) != 0) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"--gateway: %s is not in our subnet; correct it or the prefix length of "
			"--address",
			ipv4_addr_format(s->gateway, text));
		return SETTINGS_USAGE;
	}
	return SETTINGS_OK;
}

static enum settings_result
check_addresses(const struct settings *s, char *message)
{
	enum settings_result rc = SETTINGS_OK;

	if (!s->address_set && !s->address6_set)
		return wrong(message,
			"--address is missing: our own IPv4 address, for example --address "
			"198.18.0.2/24 (one that the kernel does not own); for IPv6 --address6");
	if (s->ipv4_only && s->ipv6_only)
		return wrong(message, "--ipv4 and --ipv6 exclude each other");
	if (s->gateway != 0 && !s->address_set)
		return wrong(message, "--gateway needs --address; IPv6's is --gateway6");
	if (!ipv6_addr_is_unspecified(&s->gateway6) && !s->address6_set)
		return wrong(message, "--gateway6 needs --address6");
	if (s->address_set)
		rc = check_ipv4(s, message);
	if (rc == SETTINGS_OK && s->address6_set)
		rc = check_ipv6(s, message);
	return rc;
}

static enum settings_result
check_outputs(const struct settings *s, char *message)
{
	uint32_t i;

	if (s->outputs.count > s->urls.count) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"there are %u -o and %u URLs: the Nth -o belongs to the Nth URL",
			s->outputs.count, s->urls.count);
		return SETTINGS_USAGE;
	}
	for (i = 0; i < s->outputs.count; i++) {
		if (s->outputs.item[i][0] == '\0')
			return wrong(
				message, "-o is given an empty name; \"-\" is standard output");
	}
	if (s->remote_name && s->outputs.count > 0)
		return wrong(message,
			"-o and -O exclude each other: -o names the files, -O takes the "
			"names from the URLs");
	return SETTINGS_OK;
}

/* All of --addresses must be hosts of the subnet. */
static bool
addresses_fit(const struct settings *s)
{
	uint32_t last = s->address + (uint32_t)s->addresses - 1U;

	return s->addresses == 1 ||
	       (s->address_set && !s->address_dhcp && last >= s->address &&
		       ((last ^ s->address) & ipv4_prefix_mask(s->prefix_len)) == 0 &&
		       !is_reserved_in_subnet(last, s->prefix_len) &&
		       (s->gateway == 0 || s->gateway < s->address || s->gateway > last));
}

/* A program that reads standard output expects one format. */
static bool
share_standard_output(const struct settings *s)
{
	const char *const paths[] = {s->stats, s->stats_stream, s->csv};
	size_t i, n = 0;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		n += paths[i] != NULL && strcmp(paths[i], "-") == 0;
	return n > 1;
}

static enum settings_result
check_queues(const struct settings *s, char *message)
{
	int cpus[SETTINGS_QUEUES_MAX], cores = settings_cores(s, cpus);
	uint32_t queues = settings_queues(s);

	if (cores < 0)
		return wrong(message,
			"--cores is not a list of different CPUs (64 at most), such as 2,4-7");
	if (cores > 0 && s->core >= 0)
		return wrong(message, "--core and --cores exclude each other");
	if (cores > 0 && (uint32_t)cores != queues) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"--queues %u and the %d CPUs of --cores do not match: it is one for each",
			queues, cores);
		return SETTINGS_USAGE;
	}
	if (queues == 1)
		return SETTINGS_OK;
	if (s->address_dhcp && s->stack == SETTINGS_STACK_DPDK)
		return wrong(message,
			"--queues: with several the address must be given; --address dhcp gives "
			"it to one");
	if (s->connections < queues || (s->requests > 0 && s->requests < queues))
		return wrong(message,
			"--queues: each needs at least one of --connections, and of --requests");
	return SETTINGS_OK;
}

static enum settings_result
check_load(const struct settings *s, char *message)
{
	if (share_standard_output(s))
		return wrong(message,
			"of --stats, --stats-stream and --csv only one can be \"-\": standard "
			"output would hold a mixture");
	if (!addresses_fit(s))
		return wrong(message,
			"--addresses: so many from --address on do not fit into its subnet "
			"(without "
			"--gateway and its last address), or --address is no address");
	if (s->cps && s->pipeline > 1)
		return wrong(message, "--cps sends one request a connection: there is nothing to "
				      "--pipeline");
	if (s->interval_ns > 0 && s->interval_ns < NS_PER_MS)
		return wrong(message, "--interval must be at least 0.001 (a millisecond)");
	if (s->url_file != NULL && s->url_file[0] == '\0')
		return wrong(message, "--url-file is given an empty name");
	return check_queues(s, message);
}

/* What the kernel's stack would not heed must not look as if it had been heeded. */
static enum settings_result
check_kernel(const struct settings *s, char *message)
{
	uint32_t i, count;
	const struct settings_option *all = settings_options(&count);

	if (s->compared)
		return SETTINGS_OK;
	if (s->eal_args_count > 0)
		return wrong(message, "EAL options are DPDK's, which --stack kernel does not "
				      "start; leave them and the \"--\" out");
	for (i = 0; i < count; i++) {
		if (!all[i].own_stack || !settings_option_given(s, &all[i]))
			continue;
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"--%s is our own stack's, and means nothing with --stack kernel%s; leave "
			"it out",
			all[i].name,
			strcmp(all[i].name, "telemetry") == 0
				? " (--metrics serves the figures of both)"
				: ": the kernel has its own addresses, routes and settings");
		return SETTINGS_USAGE;
	}
	return SETTINGS_OK;
}

static enum settings_result
check_own_stack(const struct settings *s, char *message)
{
	if (s->nic == NULL || s->nic[0] == '\0')
		return wrong(message,
			"--nic is missing: the port to use, a PCI address, an interface "
			"name or a vdev string (`ip -br link` lists interfaces)");
	return check_addresses(s, message);
}

/* With -o, compare makes one transfer at a time: a load's options would have no effect. */
static enum settings_result
check_compare(const struct settings *s, char *message)
{
	static const char *const kept[] = {"pairs", "curl", "server-pid", "addresses"};
	uint32_t i, count;
	size_t k;
	const struct settings_option *all = settings_options(&count);

	if (s->outputs.count == 0)
		return check_load(s, message);
	if (s->outputs.count > 1 || s->urls.count != 1 || s->url_file != NULL)
		return wrong(message, "compare -o takes one FILE and one URL");
	if (s->outputs.item[0][0] == '\0' || strcmp(s->outputs.item[0], "-") == 0 ||
		strcmp(s->outputs.item[0], "/dev/null") == 0)
		return wrong(message, "compare -o needs a file; to nowhere is measured beside it");
	for (i = 0; i < count; i++) {
		for (k = 0; k < sizeof(kept) / sizeof(kept[0]); k++) {
			if (strcmp(all[i].name, kept[k]) == 0)
				break;
		}
		if (all[i].group != OPTION_GROUP_LOAD || k < sizeof(kept) / sizeof(kept[0]) ||
			!settings_option_given(s, &all[i]))
			continue;
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"--%s is a load's; with -o each measurement is one transfer", all[i].name);
		return SETTINGS_USAGE;
	}
	return addresses_fit(s) ? SETTINGS_OK : check_load(s, message);
}

static enum settings_result
check_nic(const struct settings *s, char *message)
{
	if (s->nic_action == SETTINGS_NIC_NOTHING)
		return wrong(message, "dpfetch nic needs to be told what to do: list, bind, unbind "
				      "or restore (dpfetch nic --help)");
	if (s->nic_action == SETTINGS_NIC_LIST && s->devices.count > 0)
		return wrong(message, "dpfetch nic list takes no device: it lists all");
	if ((s->nic_action == SETTINGS_NIC_BIND || s->nic_action == SETTINGS_NIC_UNBIND) &&
		s->devices.count == 0) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"dpfetch nic %s needs a PCI address, such as 0000:3b:00.0 (dpfetch nic "
			"list "
			"shows them)",
			settings_nic_action_name((enum settings_nic_action)s->nic_action));
		return SETTINGS_USAGE;
	}
	return SETTINGS_OK;
}

static enum settings_result
check_nic_test(const struct settings *s, char *message)
{
	int cpus[SETTINGS_QUEUES_MAX];

	if (s->urls.count > 1)
		return wrong(message, "dpfetch nic test takes one URL");
	if (!s->address_set || s->address_dhcp)
		return wrong(message,
			"nic test needs an IPv4 address of our own, for example --address "
			"198.18.0.2/24: it sends frames beside the stack");
	if (s->ipv6_only)
		return wrong(message, "nic test speaks IPv4 to the server");
	if (s->only != NULL && s->skip != NULL)
		return wrong(message, "--only and --skip exclude each other");
	if (settings_cores(s, cpus) < 0)
		return wrong(message,
			"--cores is not a list of different CPUs (64 at most), such as 2,4-7");
	return SETTINGS_OK;
}

static const char *const url_examples[SETTINGS_COMMAND_COUNT] = {
	[SETTINGS_GET] = "dpfetch --nic DEV --address CIDR http://198.18.0.1/file -o FILE (dpfetch "
			 "--help)",
	[SETTINGS_COMPARE] = "dpfetch compare --nic DEV --address CIDR -d 5 http://198.18.0.1/big "
			     "(dpfetch compare --help)",
	[SETTINGS_BENCH] = "dpfetch bench --nic DEV --address CIDR -c 100 -d 10 http://198.18.0.1/ "
			   "(dpfetch bench --help)",
	[SETTINGS_NIC_TEST] = "dpfetch nic test --nic DEV --address CIDR http://198.18.0.1/big "
			      "(dpfetch nic test --help)",
};

enum settings_result
settings_check(const struct settings *s, char *message)
{
	if (s->command == SETTINGS_DOCTOR)
		return SETTINGS_OK;
	if (s->command == SETTINGS_NIC)
		return check_nic(s, message);
	if (s->urls.count == 0 && s->url_file == NULL) {
		snprintf(message, SETTINGS_MESSAGE_MAX, "no URL given; try: %s",
			url_examples[s->command]);
		return SETTINGS_USAGE;
	}
	if ((s->stack == SETTINGS_STACK_KERNEL ? check_kernel(s, message)
					       : check_own_stack(s, message)) != SETTINGS_OK)
		return SETTINGS_USAGE;
	if (s->command == SETTINGS_GET)
		return check_outputs(s, message);
	if (s->command == SETTINGS_NIC_TEST)
		return check_nic_test(s, message);
	return s->command == SETTINGS_COMPARE ? check_compare(s, message) : check_load(s, message);
}
