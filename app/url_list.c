/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "url_list.h"

static int
add(struct url_list *list, const char *text, uint32_t weight)
{
	struct url_list_item *grown = realloc(list->item, (list->count + 1U) * sizeof(*grown));

	if (grown == NULL)
		return -ENOMEM;
	list->item = grown;
	grown[list->count] = (struct url_list_item){strdup(text), weight};
	if (grown[list->count].text == NULL)
		return -ENOMEM;
	list->count++;
	return 0;
}

static int
take_line(struct url_list *list, char *line)
{
	char *at = line + strspn(line, " \t"), *end;
	unsigned long weight = 1;

	for (end = at + strlen(at); end > at && isspace((unsigned char)end[-1]); end--)
		;
	*end = '\0';
	if (*at == '\0' || *at == '#')
		return 0;
	end = at + strspn(at, "0123456789");
	if (end > at && isblank((unsigned char)*end)) {
		errno = 0;
		weight = strtoul(at, NULL, 10);
		if (errno != 0 || weight == 0 || weight > URL_LIST_WEIGHT_MAX)
			return -EBADMSG;
		at = end + strspn(end, " \t");
	}
	return strpbrk(at, " \t") != NULL ? -EBADMSG : add(list, at, (uint32_t)weight);
}

int
url_list_read(struct url_list *list, const char *path, uint32_t *ret_line)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	uint32_t number = 0;
	char *line = NULL;
	size_t room = 0;
	int rc = 0;

	if (file == NULL)
		return -errno;
	errno = 0;
	while (rc == 0 && getline(&line, &room, file) >= 0) {
		number++;
		rc = take_line(list, line);
	}
	if (rc == 0 && ferror(file) != 0)
		rc = errno != 0 ? -errno : -EIO;
	if (rc == -EBADMSG)
		*ret_line = number;
	free(line);
	if (file != stdin)
		fclose(file);
	return rc;
}

void
url_list_free(struct url_list *list)
{
	uint32_t i;

	for (i = 0; i < list->count; i++)
		free(list->item[i].text);
	free(list->item);
	*list = (struct url_list){0};
}
