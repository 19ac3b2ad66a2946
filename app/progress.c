/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "base_bytes.h"
#include "base_time.h"
#include "progress.h"

#define TIME_TEXT_LEN 12U
#define HOURS_MAX 99U

const char *
progress_heading(void)
{
	return "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
	       "                                 Dload  Upload   Total   Spent    Left  Speed\n";
}

char *
progress_bytes_format(uint64_t bytes, char *buf)
{
	static const char suffix[] = "kMGTPE";
	uint64_t unit = 1024, whole;
	uint32_t i = 0;

	if (bytes < 100000) {
		snprintf(buf, PROGRESS_BYTES_TEXT_LEN, "%5u", (uint32_t)bytes);
		return buf;
	}
	while (bytes / unit >= 10000 && suffix[i + 1] != '\0') {
		unit *= 1024;
		i++;
	}
	whole = bytes / unit;
	if (whole < 100 && i > 0)
		snprintf(buf, PROGRESS_BYTES_TEXT_LEN, "%2u.%u%c", (uint32_t)whole % 100U,
			(uint32_t)(bytes % unit / (unit / 10)) % 10U, suffix[i]);
	else
		snprintf(
			buf, PROGRESS_BYTES_TEXT_LEN, "%4u%c", (uint32_t)whole % 10000U, suffix[i]);
	return buf;
}

static char *
time_format(uint64_t seconds, char *buf)
{
	if (seconds == 0)
		snprintf(buf, TIME_TEXT_LEN, "--:--:--");
	else if (seconds / 3600 <= HOURS_MAX)
		snprintf(buf, TIME_TEXT_LEN, "%2u:%02u:%02u", (unsigned int)(seconds / 3600) % 100U,
			(unsigned int)(seconds / 60 % 60), (unsigned int)(seconds % 60));
	else
		snprintf(buf, TIME_TEXT_LEN, "%3ud %02uh", (unsigned int)(seconds / 86400) % 1000U,
			(unsigned int)(seconds / 3600 % 24));
	return buf;
}

static uint64_t
speed(uint64_t bytes, uint64_t elapsed_ns)
{
	return elapsed_ns == 0 ? 0 : (uint64_t)((double)bytes * 1e9 / (double)elapsed_ns);
}

/* Bytes a second over the last samples. */
static uint64_t
current_speed(struct progress_meter *meter, const struct progress *p)
{
	uint32_t oldest =
		meter->samples >= PROGRESS_SAMPLES ? meter->samples % PROGRESS_SAMPLES : 0;
	struct progress from = meter->samples > 0 ? meter->sample[oldest] : (struct progress){0};

	meter->sample[meter->samples % PROGRESS_SAMPLES] = *p;
	meter->samples++;
	return speed(p->bytes - from.bytes, p->elapsed_ns - from.elapsed_ns);
}

char *
progress_line(struct progress_meter *meter, const struct progress *p, char *buf, size_t room)
{
	char total[PROGRESS_BYTES_TEXT_LEN], done[PROGRESS_BYTES_TEXT_LEN];
	char average[PROGRESS_BYTES_TEXT_LEN], current[PROGRESS_BYTES_TEXT_LEN];
	char time_total[TIME_TEXT_LEN], time_spent[TIME_TEXT_LEN], time_left[TIME_TEXT_LEN];
	const struct progress *last =
		&meter->sample[(meter->samples + PROGRESS_SAMPLES - 1) % PROGRESS_SAMPLES];
	uint64_t rate = speed(p->bytes, p->elapsed_ns), spent = p->elapsed_ns / NS_PER_SEC;
	uint64_t known = p->total == UINT64_MAX ? 0 : p->total;
	uint64_t estimate = known > 0 && rate > 0 ? known / rate : 0;
	uint64_t percent = known > 0 ? MIN_OF(p->bytes * 100 / known, UINT64_C(100)) : 0;

	if (p->bytes < last->bytes || p->elapsed_ns < last->elapsed_ns)
		*meter = (struct progress_meter){0}; /* another try has begun */
	snprintf(buf, room, "\r%3" PRIu64 " %s  %3" PRIu64 " %s    0     0  %s      0 %s %s %s %s",
		percent, progress_bytes_format(known > 0 ? known : p->bytes, total), percent,
		progress_bytes_format(p->bytes, done), progress_bytes_format(rate, average),
		time_format(estimate, time_total), time_format(spent, time_spent),
		time_format(estimate > spent ? estimate - spent : 0, time_left),
		progress_bytes_format(current_speed(meter, p), current));
	return buf;
}
