/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "tcp_conn.h"
#include "wire_ether.h"
#include "wire_ip.h"

/*
 * What the user asked for: the command line over the config file over the defaults, as one
 * struct that nobody changes after settings_load. Values are checked one by one here; whether
 * they work together with the machine is for the app to find out.
 */

#define SETTINGS_MESSAGE_MAX 512U
#define SETTINGS_QUEUES_MAX 64U /* of a port, each with a worker */
#define SETTINGS_GIVEN_WORDS 2U /* 64 options each */

enum settings_nic_mode {
	SETTINGS_NIC_AUTO,
	SETTINGS_NIC_RING,
	SETTINGS_NIC_AF_PACKET,
	SETTINGS_NIC_AF_XDP,
	SETTINGS_NIC_VNET,
	SETTINGS_NIC_PCI,
	SETTINGS_NIC_VDEV,
};

/** What the program is to do: the first argument, if it is one of these words, or the first two; else get. */
enum settings_command {
	SETTINGS_GET,
	SETTINGS_BENCH,
	SETTINGS_COMPARE,
	SETTINGS_NIC,
	SETTINGS_DOCTOR,
	SETTINGS_NIC_TEST,
	SETTINGS_COMMAND_COUNT
};

/** "get", "bench", "compare", "nic", "doctor", "nic test". Static storage. */
const char *settings_command_name(enum settings_command command);

/** What nic is to do: the word after it. */
enum settings_nic_action {
	SETTINGS_NIC_NOTHING, /* not said */
	SETTINGS_NIC_LIST,
	SETTINGS_NIC_BIND,
	SETTINGS_NIC_UNBIND,
	SETTINGS_NIC_RESTORE,
	SETTINGS_NIC_ACTION_COUNT
};

/** "list", "bind", "unbind", "restore". Static storage; "" of SETTINGS_NIC_NOTHING. */
const char *settings_nic_action_name(enum settings_nic_action action);

/** What a PCI device is bound to. */
enum settings_driver { SETTINGS_DRIVER_VFIO, SETTINGS_DRIVER_UIO };

/** Who pulls the cable. */
enum settings_flap { SETTINGS_FLAP_AUTO, SETTINGS_FLAP_MANUAL };

enum settings_format { SETTINGS_FORMAT_TABLE, SETTINGS_FORMAT_JSON };

/** Whose TCP carries the connections. */
enum settings_stack {
	SETTINGS_STACK_DPDK, /* our own, on a DPDK port */
	SETTINGS_STACK_KERNEL, /* the kernel's sockets */
};

/** Texts given with an option that may be repeated, or as arguments. */
struct settings_list {
	char **item;
	uint32_t count;
};

struct settings {
	int command; /* enum settings_command */
	int stack; /* enum settings_stack */
	/* the port */
	char *nic; /* NULL: not given */
	int nic_mode; /* enum settings_nic_mode */
	bool address_set;
	bool address_dhcp; /* ask for it; address and prefix_len are 0 then */
	uint32_t address; /* host order */
	uint8_t prefix_len;
	uint64_t addresses; /* from address on, consecutive ones */
	uint32_t gateway; /* host order, 0: none */
	bool address6_set; /* IPv6 is spoken: */
	bool address6_auto; /* with addresses from routers, */
	struct ipv6_addr address6; /* or with this one */
	uint8_t prefix6_len;
	struct ipv6_addr gateway6; /* unspecified: none */
	int driver; /* enum settings_driver: of a PCI device */
	bool no_iommu;
	bool keep_bound;
	struct settings_list force; /* PCI addresses */
	bool mac_set, gateway_mac_set;
	struct ether_addr mac, gateway_mac;
	uint64_t vlan_id; /* 0: untagged */
	uint64_t mtu; /* bytes */
	bool checksum_offload, lro;
	bool promiscuous;
	bool probe_address; /* RFC 5227 before first use */
	uint64_t link_timeout_ns;
	/* the machine */
	int64_t core; /* -1: chosen */
	int64_t writer_core; /* -1: chosen */
	uint64_t queues; /* 0: not given; see settings_queues */
	char *cores; /* NULL: not given; see settings_cores */
	bool strict_numa;
	uint64_t rx_buffers; /* received buffers that may be held, 0: from the window */
	/* TCP */
	int ack; /* enum tcp_ack_policy */
	int congestion; /* enum tcp_congestion */
	bool ecn; /* ask for it */
	uint64_t ack_delay_ns;
	uint64_t ack_segments;
	uint64_t window_bytes; /* receive window at most */
	/* the transfer */
	struct settings_list urls;
	struct settings_list headers; /* -H */
	bool ipv4_only, ipv6_only; /* of the addresses that a name has */
	struct settings_list resolve; /* HOST:PORT:ADDRESS, curl's --resolve */
	char *dns; /* servers, or "system"; NULL: DHCP's, routers' or resolv.conf's */
	char *range; /* as in "Range: bytes="; NULL: all */
	char *user_agent; /* NULL: dpfetch/VERSION */
	uint64_t max_time_ns; /* 0: none */
	uint64_t connect_timeout_ns; /* 0: none */
	uint64_t retries;
	uint64_t retry_delay_ns; /* 0: 1 s, doubling to 10 min as curl does */
	bool retry_connrefused;
	bool fail; /* -f */
	/* the load, of bench */
	uint64_t connections;
	uint64_t duration_ns; /* 0: not given */
	uint64_t requests; /* 0: no limit */
	double rate; /* requests a second; 0: closed loop */
	bool cps; /* one request a connection */
	uint64_t pipeline;
	uint64_t ramp_ns, warmup_ns;
	char *url_file;
	struct settings_list fail_if;
	uint64_t server_pid; /* 0: not given */
	uint64_t pairs; /* compare */
	bool curl;
	/* the output */
	struct settings_list outputs; /* -o, the Nth belongs to the Nth URL */
	bool remote_name; /* -O */
	char *output_dir;
	bool create_dirs;
	bool fsync;
	bool direct; /* O_DIRECT where it works */
	char *checksum; /* "sha-256=HEX" or "sha-256", NULL: none */
	/* reporting */
	bool silent, show_error, verbose;
	char *write_out; /* -w; "@FILE" has been read */
	char *stats; /* --stats FILE */
	char *pcap, *pcap_on_error; /* FILEs; NULL: no capture */
	uint64_t pcap_snaplen; /* bytes of a frame; 0: all */
	uint64_t pcap_size_bytes; /* of the file; 0: no bound */
	uint64_t pcap_packets; /* kept for pcap_on_error; 0: as many as there is room for */
	char *stats_stream, *csv, *metrics; /* bench */
	bool telemetry; /* bench */
	char *html; /* compare, nic test */
	char *junit; /* nic test */
	char *only, *skip; /* nic test: names with commas between them; NULL: not given */
	uint64_t soak_ns; /* nic test */
	int flap; /* nic test: enum settings_flap */
	uint64_t test_vlan_id; /* nic test; 0: none */
	uint64_t interval_ns; /* bench: the time series'; 0: not given */
	/* nic */
	int nic_action; /* enum settings_nic_action */
	struct settings_list devices; /* arguments after the action */
	int format; /* enum settings_format */
	bool fix; /* doctor */
	/* what to do instead of fetching */
	bool help, version, dump_config, check;
	bool visible; /* no option: packet sockets are to see our frames (compare's traces) */
	uint64_t link_settle_ns; /* no option: the link must be up for so long first */
	uint64_t
		flap_ns; /* no option: the port's link is taken down for so long in mid-run; 0: it is not */
	bool nic_bound; /* no option: whoever has started us holds the PCI device */
	bool compared; /* no option: one side of compare; it has the other side's options, too */
	/* bit n % 64 of word n / 64: the table's option n was given */
	uint64_t given[SETTINGS_GIVEN_WORDS];
	/* EAL options given before "--"; points into argv */
	char **eal_args;
	int eal_args_count;
};

/** How settings_load ended. Values are exit codes of curl's. */
enum settings_result {
	SETTINGS_OK = 0,
	SETTINGS_USAGE = 2, /* unknown option, bad value, something missing */
	SETTINGS_FILE = 26, /* the config file cannot be read or is wrong */
	SETTINGS_NO_MEMORY = 27,
};

/**
 * Reads argv (its first element is the program's name), and the config file that it names.
 * On SETTINGS_OK *ret is filled in, to be freed by settings_free; else message (of
 * SETTINGS_MESSAGE_MAX bytes) says what is wrong and what would be right. Nothing of argv is kept,
 * except that eal_args points into it: argv, array and strings, outlives *ret.
 */
enum settings_result settings_load(int argc, char **argv, struct settings *ret, char *message);

/**
 * Is all there that a fetch needs, and does it fit together (NIC, address, URLs, outputs)?
 * SETTINGS_OK, or SETTINGS_USAGE with a message.
 */
enum settings_result settings_check(const struct settings *s, char *message);

/** How many queues, and so workers: --queues, else as many as --cores names, else 1. */
uint32_t settings_queues(const struct settings *s);

/** The CPUs of --cores, in their order, into ret (of SETTINGS_QUEUES_MAX). How many, 0 without --cores;
 *  -EINVAL: it is no list of different CPUs such as 2,4-7, or of too many. */
int settings_cores(const struct settings *s, int *ret);

/** Frees what *s holds. */
void settings_free(struct settings *s);

/** Appends the text to a growing buffer; see settings_help and settings_dump. */
typedef void (*settings_print_fn)(void *ctx, const char *text);

/** The --help text of a command: its options, grouped. */
void settings_help(enum settings_command command, settings_print_fn print, void *ctx);

/** Every option of s's command with its value in force, as an INI file that --config reads to the same
 *  settings. NULL; or the name of an option with a value that such a file cannot hold (several
 *  lines, blanks at the ends, a semicolon after a blank, too long), which was left out. */
const char *settings_dump(const struct settings *s, settings_print_fn print, void *ctx);

/** The options as roff (tagged paragraphs), for the man page. */
void settings_man(settings_print_fn print, void *ctx);

/** A bash completion script. */
void settings_completion(settings_print_fn print, void *ctx);

#endif
