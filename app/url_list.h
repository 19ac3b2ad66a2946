/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef URL_LIST_H
#define URL_LIST_H

#include <stdint.h>

/* The URLs of a --url-file, each with its share of the requests. */

#define URL_LIST_WEIGHT_MAX 1000000U

struct url_list_item {
	char *text; /* as the user wrote it */
	uint32_t weight; /* 1 to URL_LIST_WEIGHT_MAX */
};

struct url_list {
	struct url_list_item *item;
	uint32_t count;
};

/** Appends what the file at path ("-": standard input) holds to *list: a line is "URL", "WEIGHT URL", nothing, or a
 *  comment after '#'. 0; -EBADMSG: line *ret_line (from 1) is neither; -ENOMEM; -errno of reading. What came before is
 *  in the list, whatever is returned. */
int url_list_read(struct url_list *list, const char *path, uint32_t *ret_line);

/** Frees what *list holds, which is empty then. */
void url_list_free(struct url_list *list);

#endif
