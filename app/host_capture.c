/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base_time.h"
#include "exit_code.h"
#include "host_priv.h"

/* From the poll loop's clock to the time of day. */
static int64_t
epoch_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * (int64_t)NS_PER_SEC + now.tv_nsec - (int64_t)port_clock_ns();
}

int
host_start_capture(struct host *h)
{
	const struct settings *s = h->settings;
	const struct capture_config cfg = {
		.path = s->pcap,
		.on_error = s->pcap_on_error,
		.application = "dpfetch " DPFETCH_VERSION,
		.interface = s->nic,
		.snaplen = (uint32_t)s->pcap_snaplen,
		.file_bytes_max = s->pcap_size_bytes,
		.keep_packets = (uint32_t)s->pcap_packets,
		.queues = h->queues,
		.cpus = &h->others,
		.epoch_ns = epoch_ns(),
	};
	int rc;

	if (s->pcap == NULL && s->pcap_on_error == NULL)
		return 0;
	rc = capture_create(&cfg, &h->capture);
	if (rc == 0)
		return 0;
	if (s->pcap == NULL)
		message_error(&h->level, EXIT_CODE_REPORT, "no memory to capture frames: %s",
			strerror(-rc));
	else
		message_error(&h->level, EXIT_CODE_REPORT, "--pcap: cannot write '%.200s': %s",
			s->pcap, strerror(-rc));
	return EXIT_CODE_REPORT;
}

static int
tell_file(const struct host *h, const struct capture_result *r)
{
	const struct settings *s = h->settings;

	if (r->error != 0) {
		message_error(&h->level, EXIT_CODE_REPORT,
			"--pcap: writing '%.200s' failed after %" PRIu64 " frames: %s", s->pcap,
			r->packets, strerror(-r->error));
		return EXIT_CODE_REPORT;
	}
	message_note(&h->level, "captured %" PRIu64 " frames to '%.200s'", r->packets, s->pcap);
	if (r->full)
		message_warning(&h->level,
			"'%.200s' has its %" PRIu64 " bytes; later frames are not in it "
			"(--pcap-size allows more, --pcap-snaplen takes less of each)",
			s->pcap, s->pcap_size_bytes);
	if (r->left_out > 0)
		message_warning(&h->level,
			"%" PRIu64 " frames are not in '%.200s': they came faster than they could "
			"be written (--pcap-snaplen takes less of each)",
			r->left_out, s->pcap);
	return 0;
}

static int
tell_kept(const struct host *h, const struct capture_result *r)
{
	const char *path = h->settings->pcap_on_error;

	if (r->keep_error != 0) {
		message_error(&h->level, EXIT_CODE_REPORT,
			"--pcap-on-error: cannot write '%.200s': %s", path,
			strerror(-r->keep_error));
		return EXIT_CODE_REPORT;
	}
	message_note(&h->level, "the last %" PRIu64 " frames are in '%.200s'", r->kept, path);
	return 0;
}

int
host_stop_capture(struct host *h)
{
	bool failed = h->failed || h->signo != 0;
	struct capture_result r;
	int rc = 0, kept = 0;

	if (h->capture == NULL)
		return 0;
	capture_finish(h->capture, failed, &r);
	h->capture = NULL;
	if (h->settings->pcap != NULL)
		rc = tell_file(h, &r);
	if (h->settings->pcap_on_error != NULL && failed)
		kept = tell_kept(h, &r);
	return rc != 0 ? rc : kept;
}
