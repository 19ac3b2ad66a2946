/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "affinity.h"
#include "base_time.h"
#include "bench_metrics.h"
#include "bench_report.h"
#include "bench_stream.h"

#define LOOK_NS (20 * NS_PER_MS) /* how soon an interval is written */

struct bench_stream {
	struct bench_stream_config cfg;
	struct bench_series *series;
	uint64_t start_ns;
	FILE *file; /* NULL: none */
	pthread_t thread;
	bool running;
	atomic_bool stop;
	struct bench_metrics_figures figures;
	int error; /* the first -errno */
};

static void
write_line(struct bench_stream *s, const char *event, json_t *object)
{
	json_object_set_new(object, "event", json_string(event));
	if (json_dumpf(object, s->file, JSON_COMPACT) != 0 || fputc('\n', s->file) == EOF ||
		fflush(s->file) != 0) {
		if (s->error == 0)
			s->error = errno != 0 ? -errno : -EIO;
	}
	json_decref(object);
}

static void
show_metrics(struct bench_stream *s, const struct load_interval *i)
{
	if (s->cfg.metrics == NULL)
		return;
	load_counts_add(&s->figures.total, &i->counts);
	s->figures.last = *i;
	bench_metrics_update(s->cfg.metrics, &s->figures);
}

static void
write_new(struct bench_stream *s)
{
	struct load_interval i;

	while (bench_series_next(s->series, &i)) {
		show_metrics(s, &i);
		if (s->file != NULL)
			write_line(s, "interval", bench_report_interval_json(&i, s->start_ns));
		if (s->cfg.text == NULL)
			continue;
		bench_report_interval_text(&i, s->start_ns, s->cfg.text);
		fflush(s->cfg.text);
	}
}

static void *
stream_main(void *ctx)
{
	struct bench_stream *s = ctx;
	const struct timespec pause = {.tv_nsec = (long)LOOK_NS};

	setpriority(PRIO_PROCESS, 0, 0); /* it inherited the poll core's */
	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		write_new(s);
		if (s->cfg.metrics != NULL)
			bench_metrics_serve(s->cfg.metrics, (int32_t)(LOOK_NS / NS_PER_MS));
		else
			nanosleep(&pause, NULL);
	}
	return NULL;
}

int
bench_stream_open(const struct bench_stream_config *cfg, json_t *first, struct bench_stream **ret)
{
	struct bench_stream *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL) {
		json_decref(first);
		return -ENOMEM;
	}
	s->cfg = *cfg;
	if (cfg->path != NULL) {
		s->file = strcmp(cfg->path, "-") == 0 ? stdout : fopen(cfg->path, "we");
		if (s->file == NULL) {
			rc = -errno;
			json_decref(first);
			free(s);
			return rc;
		}
		write_line(s, "start", first);
	} else {
		json_decref(first);
	}
	*ret = s;
	return 0;
}

int
bench_stream_run(struct bench_stream *s, struct bench_series *series, uint64_t start_ns)
{
	int rc;

	s->series = series;
	s->start_ns = start_ns;
	rc = pthread_create(&s->thread, NULL, stream_main, s);
	s->running = rc == 0;
	if (rc == 0)
		affinity_keep_to(s->thread, s->cfg.others);
	return -rc;
}

void
bench_stream_stop(struct bench_stream *s)
{
	atomic_store_explicit(&s->stop, true, memory_order_relaxed);
	if (!s->running)
		return;
	pthread_join(s->thread, NULL);
	s->running = false;
	write_new(s);
}

int
bench_stream_close(struct bench_stream *s, json_t *last)
{
	int error;

	if (s == NULL) {
		json_decref(last);
		return 0;
	}
	bench_stream_stop(s);
	if (s->file != NULL && last != NULL)
		write_line(s, "end", last);
	else
		json_decref(last);
	if (s->file != NULL && s->file != stdout && fclose(s->file) != 0 && s->error == 0)
		s->error = -errno;
	error = s->error;
	free(s);
	return error;
}
