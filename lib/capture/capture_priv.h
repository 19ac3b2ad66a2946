/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CAPTURE_PRIV_H
#define CAPTURE_PRIV_H

#include <pthread.h>

#include "capture.h"
#include "capture_file.h"
#include "capture_ring.h"

/** A worker's. */
struct capture_tap {
	const struct capture *capture;
	uint16_t queue;
	struct capture_ring *file, *keep; /* NULL: there is none */
	struct capture_record *file_record, *keep_record; /* between received and settle */
};

struct capture {
	struct capture_config cfg;
	struct capture_file file; /* the thread's */
	struct capture_tap *tap;
	struct capture_ring *ring; /* a queue's for the file, and behind them those to keep */
	pthread_t thread;
	bool running;
	_Atomic bool stop;
	_Atomic bool ended; /* the file has its size, or an error: nothing more goes there */
	bool full;
};

#endif
