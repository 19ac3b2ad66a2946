/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base_time.h"
#include "capture_file.h"
#include "capture_limits.h"
#include "capture_pcapng.h"

static void
put(struct capture_file *f, uint32_t len)
{
	if (f->error != 0)
		return;
	if (fwrite(f->block, 1, len, f->stream) != len)
		f->error = errno != 0 ? -errno : -EIO;
	else
		f->bytes += len;
}

int
capture_file_open(struct capture_file *f, const char *path, const char *application,
	const char *interface, uint32_t snaplen)
{
	int rc = -ENOMEM;

	*f = (struct capture_file){.block = malloc(CAPTURE_FRAME_MAX + CAPTURE_PCAPNG_MORE_MAX)};
	if (f->block == NULL)
		return rc;
	f->stream = fopen(path, "we");
	if (f->stream == NULL) {
		rc = -errno;
		free(f->block);
		return rc;
	}
	(void)setvbuf(f->stream, NULL, _IOFBF, CAPTURE_FILE_BUFFER);
	put(f, capture_pcapng_section(f->block, application));
	put(f, capture_pcapng_interface(f->block, interface, snaplen));
	return 0;
}

void
capture_file_write(struct capture_file *f, const struct capture_record *c)
{
	put(f, capture_pcapng_packet(f->block, c, (const uint8_t *)(c + 1)));
	f->packets += f->error == 0;
}

int
capture_file_close(struct capture_file *f, uint64_t left_out)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	put(f, capture_pcapng_statistics(f->block,
		       (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec,
		       f->packets + left_out, left_out));
	if (fclose(f->stream) != 0 && f->error == 0)
		f->error = -errno;
	free(f->block);
	f->stream = NULL;
	f->block = NULL;
	return f->error;
}
