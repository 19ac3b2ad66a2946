/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "settings_option.h"

#define AT(field) offsetof(struct settings, field)

static const char *const stacks[] = {"dpdk", "kernel", NULL};
static const char *const nic_modes[] = {
	"auto", "ring", "af_packet", "af_xdp", "vnet", "pci", "vdev", NULL};
static const char *const ack_policies[] = {"burst", "every", "delayed", NULL};
static const char *const congestions[] = {"cubic", "newreno", NULL};
static const char *const drivers[] = {"vfio-pci", "uio_pci_generic", NULL};
static const char *const flaps[] = {"auto", "manual", NULL};
static const char *const formats[] = {"table", "json", NULL};

#define FOR_GET (1U << SETTINGS_GET)
#define FOR_BENCH (1U << SETTINGS_BENCH)
#define FOR_COMPARE (1U << SETTINGS_COMPARE)
#define FOR_NIC (1U << SETTINGS_NIC)
#define FOR_DOCTOR (1U << SETTINGS_DOCTOR)
#define FOR_NIC_TEST (1U << SETTINGS_NIC_TEST)
#define FOR_ALL ((1U << SETTINGS_COMMAND_COUNT) - 1U)
#define FOR_TRANSFERS (FOR_GET | FOR_BENCH | FOR_COMPARE | FOR_NIC_TEST)
#define FOR_BINDING (FOR_GET | FOR_BENCH | FOR_NIC | FOR_DOCTOR | FOR_NIC_TEST)
#define FOR_MACHINE (FOR_TRANSFERS | FOR_DOCTOR)
#define FOR_LOAD (FOR_BENCH | FOR_COMPARE)
#define FOR_FILES (FOR_GET | FOR_COMPARE)
#define FOR_QUEUES (FOR_LOAD | FOR_DOCTOR | FOR_NIC_TEST)

static const struct settings_option options[] = {
	{"stack", "NAME",
		"Whose TCP carries the connections: dpdk (our own, on the port) or kernel (its "
		"sockets; "
		"--nic then names the interface to leave by, or is left out), for a comparison in "
		"which "
		"only the stack differs.",
		stacks, AT(stack), 0, 0, 0, OPTION_CHOICE, OPTION_GROUP_PORT, 0,
		FOR_GET | FOR_BENCH},
	{"nic", "DEV",
		"The port: a PCI address (0000:3b:00.0), a kernel interface name (eth1), or a DPDK "
		"vdev string (net_af_packet0,iface=eth1). A PCI device that the kernel has is "
		"bound "
		"to --driver, and given back at the end.",
		NULL, AT(nic), 0, 0, 0, OPTION_TEXT, OPTION_GROUP_PORT, 0, FOR_MACHINE},
	{"nic-mode", "MODE",
		"How to use DEV: auto, ring, af_packet, af_xdp, vnet, pci or vdev. auto takes ring "
		"for an interface name, af_packet for several queues. ring reads a packet socket's "
		"ring in place. vnet is packet sockets with virtio-net headers: it takes the "
		"kernel's super-packets (TSO, GSO, GRO) as they are.",
		nic_modes, AT(nic_mode), 0, 0, 0, OPTION_CHOICE, OPTION_GROUP_PORT, 0, FOR_MACHINE,
		true},
	{"address", "CIDR",
		"Our own IPv4 address and prefix length, for example 198.18.0.2/24, which the "
		"kernel must not own; or dhcp: a DHCP server gives one, with router and name "
		"servers.",
		NULL, AT(address), AT(address_set), 0, 0, OPTION_CIDR, OPTION_GROUP_PORT, 0, 0,
		true},
	{"gateway", "IP",
		"The next hop for addresses outside the subnet; left out, the router that DHCP "
		"names.",
		NULL, AT(gateway), 0, 0, 0, OPTION_IPV4, OPTION_GROUP_PORT, 0, 0, true},
	{"address6", "CIDR",
		"Speak IPv6, too: with this address and prefix length, for example "
		"2001:2:0:18::2/64, or, with auto, with addresses made from the prefixes that "
		"routers advertise (RFC 4862). Without --address IPv6 alone is spoken.",
		NULL, AT(address6), AT(address6_set), 0, 0, OPTION_CIDR6, OPTION_GROUP_PORT, 0, 0,
		true},
	{"gateway6", "IP",
		"The next hop for IPv6 addresses off the link; if left out, a router that "
		"advertises itself.",
		NULL, AT(gateway6), 0, 0, 0, OPTION_IPV6, OPTION_GROUP_PORT, 0, 0, true},
	{"mac", "MAC", "Our MAC address; the port's own if left out.", NULL, AT(mac), AT(mac_set),
		0, 0, OPTION_MAC, OPTION_GROUP_PORT, 0, 0, true},
	{"gateway-mac", "MAC",
		"Send everything to this MAC address and ask for no other, by ARP or NDP.", NULL,
		AT(gateway_mac), AT(gateway_mac_set), 0, 0, OPTION_MAC, OPTION_GROUP_PORT, 0, 0,
		true},
	{"vlan", "ID", "Tag our frames with this 802.1Q VLAN id; 0 is untagged.", NULL, AT(vlan_id),
		0, 0, ETHER_VLAN_ID_MAX, OPTION_COUNT, OPTION_GROUP_PORT, 0, 0, true},
	{"mtu", "N", "The largest IP packet in bytes.", NULL, AT(mtu), 0, 576, 65280, OPTION_COUNT,
		OPTION_GROUP_PORT, 0, FOR_MACHINE, true},
	{"checksum-offload", NULL, "Let the NIC compute and verify checksums where it can.", NULL,
		AT(checksum_offload), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_PORT, 0, 0, true},
	{"lro", NULL,
		"Let the NIC join a connection's segments before we see them (large receive "
		"offload) where it can and verifies checksums.",
		NULL, AT(lro), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_PORT, 0, 0, true},
	{"promiscuous", NULL, "Put the port into promiscuous mode.", NULL, AT(promiscuous), 0, 0, 0,
		OPTION_FLAG, OPTION_GROUP_PORT, 0, 0, true},
	{"probe-address", NULL,
		"Ask whether another host uses our addresses before using them (RFC 5227, and "
		"RFC 4862 of IPv6); takes up to 7 seconds. One that DHCP gave is declined then.",
		NULL, AT(probe_address), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_PORT, 0, 0, true},
	{"link-timeout", "SECONDS", "How long to wait for the link to come up.", NULL,
		AT(link_timeout_ns), 0, 0, 3600, OPTION_SECONDS, OPTION_GROUP_PORT, 0, 0, true},

	{"ack", "POLICY",
		"When in-order data is acknowledged: burst (once a receive burst, merged within "
		"the "
		"bounds below), every (each segment), delayed (RFC 9293, up to 40 ms).",
		ack_policies, AT(ack), 0, 0, 0, OPTION_CHOICE, OPTION_GROUP_TCP, 0, 0, true},
	{"ack-delay", "MICROSECONDS", "burst: the longest that an ACK is held back for merging.",
		NULL, AT(ack_delay_ns), 0, 0, 1000000, OPTION_MICROSECONDS, OPTION_GROUP_TCP, 0, 0,
		true},
	{"ack-segments", "N", "burst: the most segments that one ACK covers.", NULL,
		AT(ack_segments), 0, 1, 1024, OPTION_COUNT, OPTION_GROUP_TCP, 0, 0, true},
	{"window", "BYTES", "The receive window at most; it grows to this as needed.", NULL,
		AT(window_bytes), 0, 4096, UINT64_C(1) << 30, OPTION_BYTES, OPTION_GROUP_TCP, 0,
		FOR_MACHINE, true},
	{"congestion", "NAME", "Congestion control for what we send: cubic or newreno.",
		congestions, AT(congestion), 0, 0, 0, OPTION_CHOICE, OPTION_GROUP_TCP, 0, 0, true},
	{"ecn", NULL,
		"Ask servers for explicit congestion notification (RFC 3168). A SYN that is lost "
		"twice "
		"or refused is sent again without.",
		NULL, AT(ecn), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_TCP, 0, 0, true},

	{"header", "LINE",
		"Add a request header \"Name: value\"; \"Name:\" removes one of ours, \"Name;\" "
		"sends "
		"it empty. May be repeated.",
		NULL, AT(headers), 0, 0, 0, OPTION_LIST, OPTION_GROUP_TRANSFER, 'H'},
	{"range", "RANGE",
		"Ask for a part of the body (RFC 9110 range requests), as curl does: 0-499, 500-, "
		"-500.",
		NULL, AT(range), 0, 0, 0, OPTION_TEXT, OPTION_GROUP_TRANSFER, 'r'},
	{"user-agent", "NAME", "The User-Agent header.", NULL, AT(user_agent), 0, 0, 0, OPTION_TEXT,
		OPTION_GROUP_TRANSFER, 'A'},
	{"url", "URL", "A URL to fetch; the same as an argument. May be repeated.", NULL, AT(urls),
		0, 0, 0, OPTION_LIST, OPTION_GROUP_TRANSFER, 0},
	{"ipv4", NULL, "Of a name that has addresses of both kinds, use IPv4's; the default.", NULL,
		AT(ipv4_only), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_TRANSFER, '4'},
	{"ipv6", NULL, "Of a name that has addresses of both kinds, use IPv6's.", NULL,
		AT(ipv6_only), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_TRANSFER, '6'},
	{"resolve", "HOST:PORT:ADDRESS", "Use this address for HOST and PORT. May be repeated.",
		NULL, AT(resolve), 0, 0, 0, OPTION_LIST, OPTION_GROUP_TRANSFER, 0},
	{"dns", "SERVERS",
		"The DNS servers for names, up to three IPv4 or IPv6 addresses separated by "
		"commas, which are asked over our own stack; or system: the host's resolver, over "
		"the kernel's. Left out: those that DHCP names, else those of the link's routers "
		"(with --address6 auto), else those of /etc/resolv.conf.",
		NULL, AT(dns), 0, 0, 0, OPTION_TEXT, OPTION_GROUP_TRANSFER, 0, 0, true},
	{"max-time", "SECONDS", "The longest that one transfer may take; 0 is no limit.", NULL,
		AT(max_time_ns), 0, 0, 86400 * 365, OPTION_SECONDS, OPTION_GROUP_TRANSFER, 'm'},
	{"connect-timeout", "SECONDS",
		"The longest that a try may take until it is connected: DNS, ARP or NDP, the TCP "
		"handshake; 0 is no limit.",
		NULL, AT(connect_timeout_ns), 0, 0, 86400 * 365, OPTION_SECONDS,
		OPTION_GROUP_TRANSFER, 0},
	{"retry", "N", "Try again up to N times after a failure that may pass.", NULL, AT(retries),
		0, 0, 1000000, OPTION_COUNT, OPTION_GROUP_TRANSFER, 0, FOR_GET},
	{"retry-delay", "SECONDS",
		"Wait this long before each retry; 0 is 1 s, doubled each time up to 10 minutes. A "
		"server's Retry-After counts more.",
		NULL, AT(retry_delay_ns), 0, 0, 86400, OPTION_SECONDS, OPTION_GROUP_TRANSFER, 0,
		FOR_GET},
	{"retry-connrefused", NULL, "Count a refused connection among the failures that may pass.",
		NULL, AT(retry_connrefused), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_TRANSFER, 0,
		FOR_GET},
	{"fail", NULL, "A status of 400 or more is an error (exit 22) and its body is not saved.",
		NULL, AT(fail), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_TRANSFER, 'f', FOR_GET},

	{"connections", "N", "Keep N connections open; 10 by default.", NULL, AT(connections), 0, 1,
		1000000, OPTION_COUNT, OPTION_GROUP_LOAD, 'c', FOR_LOAD},
	{"duration", "SECONDS", "Measure for so long, 10 s by default; also 30s, 5m, 1h.", NULL,
		AT(duration_ns), 0, 0, 86400, OPTION_SECONDS, OPTION_GROUP_LOAD, 'd', FOR_LOAD},
	{"requests", "N",
		"End after N requests were answered (or failed); 0: no limit. Given without "
		"--duration, nothing else ends it, but 30 s (or --max-time, if that is longer) "
		"without any response (exit 28).",
		NULL, AT(requests), 0, 0, UINT64_C(1) << 40, OPTION_COUNT, OPTION_GROUP_LOAD, 'n',
		FOR_LOAD},
	{"rate", "N",
		"Open loop: plan N requests a second (also 50k, 2m), whatever the server does, and "
		"count latency from the planned moment, so that a stall shows in every request "
		"that "
		"it delayed. 0: closed loop, each connection asks again when it was answered.",
		NULL, AT(rate), 0, 0, 1000000000, OPTION_RATE, OPTION_GROUP_LOAD, 'R', FOR_LOAD},
	{"addresses", "N",
		"Connect from N consecutive addresses, --address being the first: one address has "
		"ports "
		"for 64,512 connections to one server.",
		NULL, AT(addresses), 0, 1, 256, OPTION_COUNT, OPTION_GROUP_LOAD, 0, FOR_LOAD, true},
	{"cps", NULL,
		"Connections a second: each connection carries one request (with Connection: "
		"close), and is opened anew.",
		NULL, AT(cps), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_LOAD, 0, FOR_LOAD},
	{"pipeline", "N", "Send up to N requests ahead on a connection (HTTP pipelining).", NULL,
		AT(pipeline), 0, 1, 64, OPTION_COUNT, OPTION_GROUP_LOAD, 0, FOR_LOAD},
	{"ramp", "SECONDS", "Open the connections evenly over so long a time; not measured.", NULL,
		AT(ramp_ns), 0, 0, 86400, OPTION_SECONDS, OPTION_GROUP_LOAD, 0, FOR_LOAD},
	{"warmup", "SECONDS", "Then let it run for so long before measuring.", NULL, AT(warmup_ns),
		0, 0, 86400, OPTION_SECONDS, OPTION_GROUP_LOAD, 0, FOR_LOAD},
	{"url-file", "FILE",
		"More URLs, one a line, each with a weight before it or none (1): \"3 "
		"http://198.18.0.1/big\". Requests to one server are spread by weight; between "
		"servers the connections are, each of which stays with its server.",
		NULL, AT(url_file), 0, 0, 0, OPTION_TEXT, OPTION_GROUP_LOAD, 0, FOR_LOAD},
	{"fail-if", "CONDITION",
		"Exit with 118 if CONDITION holds at the end: a figure, < or >, and a limit, such "
		"as "
		"p99>1ms, errors>0, rps<100k. May be repeated; see FAIL CONDITIONS in dpfetch(1).",
		NULL, AT(fail_if), 0, 0, 0, OPTION_LIST, OPTION_GROUP_LOAD, 0, FOR_BENCH},
	{"queues", "N",
		"Queues of the port, each with a worker on a CPU of its own, among which the load "
		"is divided; 0 is as many as --cores names, or 1.",
		NULL, AT(queues), 0, 0, SETTINGS_QUEUES_MAX, OPTION_COUNT, OPTION_GROUP_LOAD, 0,
		FOR_QUEUES},
	{"cores", "LIST",
		"The CPUs of the workers, one for each queue, such as 2,4-7; left out, the last "
		"ones on the NIC's node.",
		NULL, AT(cores), 0, 0, 0, OPTION_TEXT, OPTION_GROUP_LOAD, 0,
		FOR_LOAD | FOR_NIC_TEST},
	{"server-pid", "PID",
		"The server's process on this machine: its CPU time, and what its network "
		"namespace "
		"sent again, are told, too.",
		NULL, AT(server_pid), 0, 0, 4194304, OPTION_COUNT, OPTION_GROUP_LOAD, 0, FOR_LOAD},
	{"pairs", "N", "Measure N times over each stack, in turn; 5 by default.", NULL, AT(pairs),
		0, 1, 100, OPTION_COUNT, OPTION_GROUP_LOAD, 0, FOR_COMPARE},
	{"curl", NULL, "Time curl with the first URL after each pair, as a check from outside.",
		NULL, AT(curl), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_LOAD, 0, FOR_COMPARE},

	{"output", "FILE",
		"Write the body to FILE; \"-\" is standard output. The Nth -o belongs to the Nth "
		"URL. compare: fetch the URL to FILE over each stack, and with curl, in turn, "
		"instead of "
		"the load.",
		NULL, AT(outputs), 0, 0, 0, OPTION_LIST, OPTION_GROUP_OUTPUT, 'o', FOR_FILES},
	{"remote-name", NULL, "Name the file as the URL's last path segment does.", NULL,
		AT(remote_name), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_OUTPUT, 'O', FOR_GET},
	{"output-dir", "DIR", "The directory for -o and -O.", NULL, AT(output_dir), 0, 0, 0,
		OPTION_TEXT, OPTION_GROUP_OUTPUT, 0, FOR_GET},
	{"create-dirs", NULL, "Make the output's missing directories.", NULL, AT(create_dirs), 0, 0,
		0, OPTION_FLAG, OPTION_GROUP_OUTPUT, 0, FOR_GET},
	{"checksum", "ALGORITHM[=HEX]",
		"Digest the body: sha-256, sha-512, sha-1, md5 or xxh3-128; with =HEX a difference "
		"is "
		"an error (exit 117).",
		NULL, AT(checksum), 0, 0, 0, OPTION_TEXT, OPTION_GROUP_OUTPUT, 0,
		FOR_FILES | FOR_NIC_TEST},
	{"fsync", NULL, "Do not report success before the file is on stable storage.", NULL,
		AT(fsync), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_OUTPUT, 0, FOR_FILES},
	{"direct", NULL, "Write with O_DIRECT where the file system can.", NULL, AT(direct), 0, 0,
		0, OPTION_FLAG, OPTION_GROUP_OUTPUT, 0, FOR_FILES},

	{"driver", "NAME",
		"Bind a PCI device to vfio-pci (the default), which needs an IOMMU, or to "
		"uio_pci_generic, "
		"which is unsafe: the NIC may then write to any memory.",
		drivers, AT(driver), 0, 0, 0, OPTION_CHOICE, OPTION_GROUP_NIC, 0, FOR_BINDING,
		true},
	{"unsafe-no-iommu", NULL,
		"Use vfio-pci where there is no IOMMU: the NIC may then write to any memory. The "
		"kernel must have been built with that mode.",
		NULL, AT(no_iommu), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_NIC, 0, FOR_BINDING, true},
	{"force", "PCI",
		"Bind this device even though the default route, an SSH session or another "
		"interface needs "
		"it. May be repeated.",
		NULL, AT(force), 0, 0, 0, OPTION_LIST, OPTION_GROUP_NIC, 0, FOR_BINDING, true},
	{"keep-bound", NULL,
		"Leave a PCI device that dpfetch has bound bound at its end; dpfetch nic unbind "
		"gives it back.",
		NULL, AT(keep_bound), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_NIC, 0,
		FOR_GET | FOR_BENCH, true},
	{"device", "PCI", "A NIC, by its PCI address; the same as an argument. May be repeated.",
		NULL, AT(devices), 0, 0, 0, OPTION_LIST, OPTION_GROUP_NIC, 0, FOR_NIC},
	{"format", "NAME", "nic list and doctor: print a table for people, or json for programs.",
		formats, AT(format), 0, 0, 0, OPTION_CHOICE, OPTION_GROUP_NIC, 0,
		FOR_NIC | FOR_DOCTOR},
	{"fix", NULL, "Reserve the hugepages that are missing, then look again.", NULL, AT(fix), 0,
		0, 0, OPTION_FLAG, OPTION_GROUP_MACHINE, 0, FOR_DOCTOR},

	{"only", "TESTS",
		"Run only these tests, names with commas between them: link, fetch, mac, mtu, "
		"checksum-tx, checksum-rx, vlan, rss, queues, sizes, rates, pause, flap, soak. "
		"link "
		"and fetch always come first, because the others need what they find.",
		NULL, AT(only), 0, 0, 0, OPTION_TEXT, OPTION_GROUP_TEST, 0, FOR_NIC_TEST},
	{"skip", "TESTS", "Run all but these tests.", NULL, AT(skip), 0, 0, 0, OPTION_TEXT,
		OPTION_GROUP_TEST, 0, FOR_NIC_TEST},
	{"soak", "SECONDS", "How long the last test keeps the port busy; 60 by default.", NULL,
		AT(soak_ns), 0, 1, 86400 * 30, OPTION_SECONDS, OPTION_GROUP_TEST, 0, FOR_NIC_TEST},
	{"flap", "WHO",
		"Who takes the link down during a load: auto, the NIC's driver, where it can; or "
		"manual: "
		"you pull the cable when you are told to.",
		flaps, AT(flap), 0, 0, 0, OPTION_CHOICE, OPTION_GROUP_TEST, 0, FOR_NIC_TEST},
	{"test-vlan", "ID",
		"A VLAN that the next hop has on this link, beside the untagged one, for the test "
		"of VLAN tags: on a Linux server ip link add link IF name IF.ID type vlan id ID; "
		"it needs no address. With --vlan that one is it.",
		NULL, AT(test_vlan_id), 0, 0, ETHER_VLAN_ID_MAX, OPTION_COUNT, OPTION_GROUP_TEST, 0,
		FOR_NIC_TEST},

	{"silent", NULL, "No progress meter, no summary, no error messages.", NULL, AT(silent), 0,
		0, 0, OPTION_FLAG, OPTION_GROUP_REPORT, 's', FOR_ALL},
	{"show-error", NULL, "With -s, print error messages all the same.", NULL, AT(show_error), 0,
		0, 0, OPTION_FLAG, OPTION_GROUP_REPORT, 'S', FOR_ALL},
	{"verbose", NULL, "Say what happens: port, request, response headers.", NULL, AT(verbose),
		0, 0, 0, OPTION_FLAG, OPTION_GROUP_REPORT, 'v', FOR_ALL},
	{"write-out", "FORMAT",
		"Print FORMAT to standard output after each transfer; curl's %{variables} and "
		"ours. "
		"@FILE reads it from a file.",
		NULL, AT(write_out), 0, 0, 0, OPTION_TEXT, OPTION_GROUP_REPORT, 'w', FOR_GET},
	{"stats", "FILE",
		"Write all figures and counters to FILE as JSON; \"-\" is standard output.", NULL,
		AT(stats), 0, 0, 0, OPTION_TEXT, OPTION_GROUP_REPORT, 0},
	{"pcap", "FILE",
		"Capture what the port receives and sends to FILE (pcapng, for Wireshark and "
		"tshark), with the reason where a frame was dropped. The poll core copies, and "
		"takes frames one by one: measure without it.",
		NULL, AT(pcap), 0, 0, 0, OPTION_TEXT, OPTION_GROUP_REPORT, 0, FOR_GET | FOR_BENCH,
		true},
	{"pcap-on-error", "FILE",
		"Keep the last frames in memory, and write them to FILE if dpfetch ends with an "
		"error.",
		NULL, AT(pcap_on_error), 0, 0, 0, OPTION_TEXT, OPTION_GROUP_REPORT, 0,
		FOR_GET | FOR_BENCH, true},
	{"pcap-packets", "N",
		"So many frames of each queue are kept for --pcap-on-error, or less if they do not "
		"fit "
		"32 MiB; 0 is no other limit.",
		NULL, AT(pcap_packets), 0, 0, UINT32_MAX, OPTION_COUNT, OPTION_GROUP_REPORT, 0,
		FOR_GET | FOR_BENCH, true},
	{"pcap-size", "BYTES",
		"Capture no more frames once the file of --pcap has BYTES; 0 is no limit.", NULL,
		AT(pcap_size_bytes), 0, 0, INT64_MAX, OPTION_BYTES, OPTION_GROUP_REPORT, 0,
		FOR_GET | FOR_BENCH, true},
	{"pcap-snaplen", "BYTES",
		"Capture only the first BYTES of each frame; 0 is all. 128 holds the headers.",
		NULL, AT(pcap_snaplen), 0, 0, 65535, OPTION_BYTES, OPTION_GROUP_REPORT, 0,
		FOR_GET | FOR_BENCH, true},
	{"interval", "SECONDS",
		"The step of the time series, a second by default; given, each step's figures are "
		"printed as it "
		"ends. --stats and --csv hold 86,400 at most: of more, neighbours are joined.",
		NULL, AT(interval_ns), 0, 0, 3600, OPTION_SECONDS, OPTION_GROUP_REPORT, 'i',
		FOR_BENCH},
	{"stats-stream", "FILE",
		"Write each interval to FILE as it ends, one JSON object a line; \"-\" is standard "
		"output.",
		NULL, AT(stats_stream), 0, 0, 0, OPTION_TEXT, OPTION_GROUP_REPORT, 0, FOR_BENCH},
	{"metrics", "[ADDRESS:]PORT",
		"Serve the figures to Prometheus at http://ADDRESS:PORT/metrics, over the kernel's "
		"network; without ADDRESS on 127.0.0.1.",
		NULL, AT(metrics), 0, 0, 0, OPTION_TEXT, OPTION_GROUP_REPORT, 0, FOR_BENCH},
	{"telemetry", NULL,
		"Turn on DPDK's telemetry socket, with our figures under /dpfetch/; "
		"dpdk-telemetry.py reads it.",
		NULL, AT(telemetry), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_REPORT, 0, FOR_BENCH, true},
	{"csv", "FILE", "Write the time series to FILE as CSV; \"-\" is standard output.", NULL,
		AT(csv), 0, 0, 0, OPTION_TEXT, OPTION_GROUP_REPORT, 0, FOR_BENCH},
	{"html", "FILE",
		"Write the report to FILE as one HTML page, of a comparison with its plots, which "
		"needs no network.",
		NULL, AT(html), 0, 0, 0, OPTION_TEXT, OPTION_GROUP_REPORT, 0,
		FOR_COMPARE | FOR_NIC_TEST},
	{"junit", "FILE",
		"Write the results to FILE as JUnit XML, for CI servers; \"-\" is standard output.",
		NULL, AT(junit), 0, 0, 0, OPTION_TEXT, OPTION_GROUP_REPORT, 0, FOR_NIC_TEST},

	{"core", "N", "The CPU that polls the port; -1 chooses the last one on the NIC's node.",
		NULL, AT(core), 0, 0, 1023, OPTION_CPU, OPTION_GROUP_MACHINE, 0, FOR_MACHINE},
	{"writer-core", "N", "The CPU of the writer thread; -1 chooses one that does not poll.",
		NULL, AT(writer_core), 0, 0, 1023, OPTION_CPU, OPTION_GROUP_MACHINE, 0, FOR_FILES},
	{"strict-numa", NULL, "Fail where core and NIC are on different nodes, instead of warning.",
		NULL, AT(strict_numa), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_MACHINE, 0},
	{"rx-buffers", "N",
		"Received buffers that may be held at once; 0 derives it from --window.", NULL,
		AT(rx_buffers), 0, 0, 4194304, OPTION_COUNT, OPTION_GROUP_MACHINE, 0, FOR_MACHINE,
		true},

	{"config", "FILE",
		"Read options from an INI file: every long option is a key. The command line wins.",
		NULL, 0, 0, 0, 0, OPTION_CONFIG, OPTION_GROUP_OTHER, 'K', FOR_ALL},
	{"dump-config", NULL, "Print the settings in force as a config file and exit.", NULL,
		AT(dump_config), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_OTHER, 0, FOR_ALL},
	{"check", NULL,
		"Check settings, NIC, core and URLs, send nothing, and exit. nic bind: say whether "
		"it would succeed, and change nothing.",
		NULL, AT(check), 0, 0, 0, OPTION_FLAG, OPTION_GROUP_OTHER, 0, FOR_ALL},
	{"version", NULL, "Print dpfetch's version and its libraries' and exit.", NULL, AT(version),
		0, 0, 0, OPTION_FLAG, OPTION_GROUP_OTHER, 'V', FOR_ALL},
	{"help", NULL, "Print this and exit.", NULL, AT(help), 0, 0, 0, OPTION_FLAG,
		OPTION_GROUP_OTHER, 'h', FOR_ALL},
};

static const char *const group_titles[OPTION_GROUP_COUNT] = {
	[OPTION_GROUP_PORT] = "The port",
	[OPTION_GROUP_TCP] = "TCP",
	[OPTION_GROUP_TRANSFER] = "The transfer",
	[OPTION_GROUP_LOAD] = "The load",
	[OPTION_GROUP_OUTPUT] = "The output",
	[OPTION_GROUP_REPORT] = "Reports",
	[OPTION_GROUP_NIC] = "NICs",
	[OPTION_GROUP_TEST] = "NIC tests",
	[OPTION_GROUP_MACHINE] = "The machine",
	[OPTION_GROUP_OTHER] = "Other",
};

const struct settings_option *
settings_options(uint32_t *ret_count)
{
	*ret_count = sizeof(options) / sizeof(options[0]);
	return options;
}

const char *
settings_group_title(enum option_group group)
{
	return group_titles[group];
}

bool
settings_option_is_of(const struct settings_option *option, int command)
{
	unsigned int commands = option->commands != 0 ? option->commands : FOR_TRANSFERS;

	return (commands & (1U << (unsigned int)command)) != 0;
}

const struct settings_option *
settings_option_find(const char *name)
{
	uint32_t i, count;
	const struct settings_option *all = settings_options(&count);

	for (i = 0; i < count; i++) {
		if (strcmp(all[i].name, name) == 0)
			return &all[i];
	}
	return NULL;
}
