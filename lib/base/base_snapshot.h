/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_SNAPSHOT_H
#define BASE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Figures that one thread publishes now and then and that others read, each time all of one moment.
 * Two copies take turns: a reader copies the one published last, and does so again if the writer came
 * round to it meanwhile. So the writer never waits, and a reader does not wait for a writer that the
 * kernel has put aside in the middle.
 */
struct snapshot;

/** For `bytes` of figures, a multiple of 8, at least 8. NULL: out of memory. Freed by
 *  snapshot_destroy, when nobody uses it any more. */
struct snapshot *snapshot_create(size_t bytes);

/** NULL is allowed. */
void snapshot_destroy(struct snapshot *s);

/** Copies the figures, as many bytes as s was created for, and shows them from now on. One thread
 *  only. */
void snapshot_publish(struct snapshot *s, const void *figures);

/** Copies what was published last to ret_figures. Any thread. false: nothing was published yet, and
 *  ret_figures is untouched. */
bool snapshot_read(const struct snapshot *s, void *ret_figures);

#endif
