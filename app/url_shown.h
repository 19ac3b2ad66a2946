/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef URL_SHOWN_H
#define URL_SHOWN_H

/** url without its user and password, for reports, which are shown around; its scheme in lower case. With
 *  or without a scheme, as curl takes it. The caller's to free; NULL: no memory. */
char *url_shown(const char *url);

#endif
