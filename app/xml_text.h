/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef XML_TEXT_H
#define XML_TEXT_H

#include <stdio.h>

/** Writes text as content of an XML or HTML element, or between the double quotes of an attribute: what
 *  would be markup escaped; what is no UTF-8 or no character of XML 1.0 (§2.2) as U+FFFD. */
void xml_text(FILE *out, const char *text);

#endif
