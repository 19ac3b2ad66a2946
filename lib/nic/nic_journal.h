/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_JOURNAL_H
#define NIC_JOURNAL_H

#include <sys/types.h>

#include <jansson.h>

#include "nic_system.h"

/*
 * What a device was like before it was handed to user space: a file of JSON for each device in
 * NIC_JOURNAL_FOLDER, which is there from before the first change until all is as it was. The folder is
 * lost with the bindings themselves when the machine is started anew. Only its owner can read or write it.
 *
 * A lock beside each file (flock(2)) tells that a program works on the device, and is gone with that program,
 * however it ends.
 */

#define NIC_JOURNAL_FOLDER "/run/dpfetch/nic"
#define NIC_JOURNAL_VERSION 1
#define NIC_JOURNALS_MAX 256U

/** Takes the device's lock. 0 and *ret_fd; -EBUSY: another program has it, *ret_pid, if it has said so (0: it has
 *  not); -errno. */
int nic_journal_lock(const struct nic_system *s, const char *address, int *ret_fd, pid_t *ret_pid);

/** Gives the lock back, and leaves no file. */
void nic_journal_unlock(const struct nic_system *s, const char *address, int fd);

/** Writes the journal, which is complete and on the disk when this returns, or as it was before. The lock must
 *  be held. 0 or -errno. */
int nic_journal_write(const struct nic_system *s, const char *address, const json_t *journal);

/** Reads it. 0 and *ret, the caller's; -ENOENT: there is none; -EPERM: others could have written it;
 *  -EBADMSG: it is none of ours, or broken; -errno. */
int nic_journal_read(const struct nic_system *s, const char *address, json_t **ret);

/** Removes it. 0 or -errno. */
int nic_journal_remove(const struct nic_system *s, const char *address);

/** The addresses of the devices that have a journal, sorted. How many; -errno. */
int nic_journal_list(const struct nic_system *s, char ret[NIC_JOURNALS_MAX][NIC_NAME_MAX]);

/** Its path, for people. */
void nic_journal_path(const struct nic_system *s, const char *address, char ret[NIC_PATH_MAX]);

#endif
