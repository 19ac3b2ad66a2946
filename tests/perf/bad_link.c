/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A cable between two interfaces with the simulation's failures (tests/sim/sim_link.c), in real time,
 * for kernels without sch_netem. What comes in by LEFT leaves by RIGHT, and the reverse; both ways it
 * takes DELAY-US and passes a queue of QUEUE-BYTES in front of RATE-KBPS. Of a hundred frames from the
 * left LOSS-PER-MILLION / 10000 are lost, by SEED; short ones never, so that a lost SYN-ACK or ARP
 * reply does not become a test of their timers. Says "ready", then works until it is ended; with
 * real-time priority, since a cable does not wait for a CPU.
 *
 *   bad_link LEFT RIGHT SEED LOSS-PER-MILLION DELAY-US RATE-KBPS QUEUE-BYTES
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base_bytes.h"
#include "base_time.h"
#include "sim_link.h"

#define SHORT_FRAME 300U
#define FRAME_MAX 9100U
#define BUFFER_BYTES (16 << 20)
#define BATCH 64U

struct direction {
	int from, to;
	uint64_t seed, long_frames; /* counted */
	uint32_t loss_per_million;
	struct sim_random random;
	struct sim_link link;
	uint64_t refused; /* by the kernel, as its queue was full */
};

static uint64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

static int
fail(const char *what)
{
	fprintf(stderr, "bad_link: %s: %s\n", what, strerror(errno));
	return -1;
}

/* A packet socket that sees only what comes in. -1: it has said why. */
static int
open_port(const char *interface)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(interface)};
	int yes = 1, bytes = BUFFER_BYTES;
	int port = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);

	if (port < 0 || address.sll_ifindex == 0)
		return fail(interface);
	if (setsockopt(port, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes)) != 0 ||
		setsockopt(port, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0 ||
		setsockopt(port, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) != 0 ||
		bind(port, (struct sockaddr *)&address, sizeof(address)) != 0)
		return fail(interface);
	return port;
}

/* By seed and number alone: another run loses the same frames. */
static bool
is_lost(struct direction *d)
{
	struct sim_random dice = {d->seed << 32 ^ d->long_frames++};

	return sim_random_next(&dice) % 1000000 < d->loss_per_million;
}

static void
take(struct direction *d)
{
	uint8_t frame[FRAME_MAX];
	uint32_t i;
	ssize_t len;

	for (i = 0; i < BATCH && (len = recv(d->from, frame, sizeof(frame), 0)) > 0; i++) {
		if (len > SHORT_FRAME && is_lost(d))
			continue;
		sim_link_send(&d->link, frame, (uint32_t)len, now());
	}
}

static void
give(struct direction *d)
{
	struct sim_frame *f;

	while ((f = sim_link_receive(&d->link, now())) != NULL) {
		d->refused += send(d->to, f->bytes, f->len, 0) < 0;
		free(f);
	}
}

/* Until a frame comes in or is due. */
static void
wait_for(struct direction *d)
{
	struct pollfd in[2] = {
		{.fd = d[0].from, .events = POLLIN}, {.fd = d[1].from, .events = POLLIN}};
	uint64_t due = time_min(sim_link_deadline(&d[0].link), sim_link_deadline(&d[1].link));
	uint64_t at = now(), left = due > at ? MIN_OF(due - at, NS_PER_SEC) : 0;
	struct timespec timeout = {
		.tv_sec = (time_t)(left / NS_PER_SEC), .tv_nsec = (long)(left % NS_PER_SEC)};

	ppoll(in, 2, &timeout, NULL);
}

static struct direction
direction(char **argv, int from, int to, uint32_t loss_per_million)
{
	return (struct direction){
		.from = from,
		.to = to,
		.loss_per_million = loss_per_million,
		.seed = strtoull(argv[3], NULL, 10),
		.link = {.cfg = {.delay_ns = strtoull(argv[5], NULL, 10) * NS_PER_US,
				 .bits_per_second = strtoull(argv[6], NULL, 10) * 1000,
				 .queue_bytes = (uint32_t)strtoul(argv[7], NULL, 10)}},
	};
}

int
main(int argc, char **argv)
{
	struct direction d[2];
	int left, right;

	if (argc != 8 || strtoull(argv[6], NULL, 10) == 0) {
		fputs("usage: bad_link LEFT RIGHT SEED LOSS-PER-MILLION DELAY-US RATE-KBPS "
		      "QUEUE-BYTES\n",
			stderr);
		return 2;
	}
	left = open_port(argv[1]);
	right = open_port(argv[2]);
	if (left < 0 || right < 0)
		return 1;
	if (sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}) != 0)
		fail("real-time priority"); /* a busy machine will be slower than the cable */
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* ns: or ppoll comes 50 us late */
	d[0] = direction(argv, left, right, (uint32_t)strtoul(argv[4], NULL, 10));
	d[1] = direction(argv, right, left, 0);
	d[0].link.random = &d[0].random;
	d[1].link.random = &d[1].random;
	fputs("ready\n", stderr);
	for (;;) {
		wait_for(d);
		take(&d[0]);
		take(&d[1]);
		give(&d[0]);
		give(&d[1]);
	}
}
