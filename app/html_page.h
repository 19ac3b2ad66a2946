/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTML_PAGE_H
#define HTML_PAGE_H

#include <stdio.h>

#include <jansson.h>

/* What all our HTML pages are made of: each needs nothing but itself, and is for light and dark. Texts
 * are escaped. Errors stay in out (ferror). */

/** Begins the page, up to <body>. css: its own style after the common one, NULL: none; not escaped. */
void html_page_begin(FILE *out, const char *title, const char *css);
void html_page_end(FILE *out);

/** Writes url as url_shown has it. */
void html_page_url(FILE *out, const char *url);

/** A table with a heading: a row for each member of the object facts; what is no string as JSON. */
void html_page_facts(FILE *out, const char *heading, const json_t *facts);

#endif
