/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "html_page.h"
#include "url_shown.h"
#include "xml_text.h"

static const char style[] =
	"<style>\n"
	":root{color-scheme:light dark;--bg:#fff;--fg:#1c1e21;--dim:#68707a;--grid:#e3e6ea;"
	"--warn:#fff3d6;--warnfg:#6b4a00;--s0:#1565c0;--s1:#d9730d;--s2:#2e7d32;--s3:#8e24aa;"
	"--s4:#b0bec5;--s5:#546e7a}\n"
	"@media (prefers-color-scheme:dark){:root{--bg:#15181c;--fg:#e6e8ea;--dim:#9aa3ad;"
	"--grid:#2b3138;--warn:#3a2f12;--warnfg:#ffd98a;--s0:#64b5f6;--s1:#ffb066;--s2:#81c784;"
	"--s3:#ce93d8;--s4:#455a64;--s5:#90a4ae}}\n"
	"body{background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;margin:0 "
	"auto;"
	"max-width:1180px;padding:24px}\n"
	"h1{font-size:24px;margin:0 0 4px}h2{font-size:18px;margin:28px 0 8px}\n"
	".dim{color:var(--dim)}.grid2{display:flex;flex-wrap:wrap;gap:20px}\n"
	"table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
	"th,td{padding:4px 14px 4px 0;text-align:right;border-bottom:1px solid var(--grid)}\n"
	"th:first-child,td:first-child{text-align:left}td.better{font-weight:600}\n"
	".warning{background:var(--warn);color:var(--warnfg);padding:8px 12px;margin:6px 0;"
	"border-radius:6px}\n"
	"svg{max-width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:var(--fg)}\n"
	"svg .label{fill:var(--dim)}svg .heading{font-size:14px;font-weight:600}\n"
	"svg .axis{stroke:var(--dim)}svg .grid{stroke:var(--grid)}\n"
	"svg .line{fill:none;stroke-width:1.8}svg .stroke{stroke-width:1.6}\n"
	"svg .s0{stroke:var(--s0)}svg .s1{stroke:var(--s1)}svg .s2{stroke:var(--s2)}"
	"svg .s3{stroke:var(--s3)}\n"
	"svg .f0{fill:var(--s0)}svg .f1{fill:var(--s1)}svg .f2{fill:var(--s2)}"
	"svg .f3{fill:var(--s3)}svg .f4{fill:var(--s4)}svg .f5{fill:var(--s5)}\n"
	".key{display:inline-block;width:12px;height:12px;border-radius:2px;margin:0 4px 0 12px}\n"
	".k0{background:var(--s0)}.k1{background:var(--s1)}.k2{background:var(--s2)}"
	".k3{background:var(--s3)}.k4{background:var(--s4)}.k5{background:var(--s5)}\n"
	".packets{font:13px/1.7 ui-monospace,monospace;word-spacing:2px}\n"
	".packets b{color:var(--s1)}\n"
	"</style>\n";

void
html_page_begin(FILE *out, const char *title, const char *css)
{
	fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
		out);
	xml_text(out, title);
	fputs("</title>\n", out);
	fputs(style, out);
	if (css != NULL)
		fprintf(out, "<style>\n%s</style>\n", css);
	fputs("</head><body>\n", out);
}

void
html_page_end(FILE *out)
{
	fputs("</body></html>\n", out);
}

void
html_page_url(FILE *out, const char *url)
{
	char *shown = url_shown(url);

	if (shown != NULL)
		xml_text(out, shown);
	free(shown);
}

void
html_page_facts(FILE *out, const char *heading, const json_t *facts)
{
	/* json_object_foreach wants what is not const. */
	json_t *copy = json_deep_copy(facts), *value;
	const char *key;
	char *text;

	fputs("<h2>", out);
	xml_text(out, heading);
	fputs("</h2>\n<table>\n", out);
	json_object_foreach(copy, key, value)
	{
		text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
		fputs("<tr><td>", out);
		xml_text(out, key);
		fputs("</td><td>", out);
		xml_text(out, text != NULL ? text : json_string_value(value));
		fputs("</td></tr>\n", out);
		free(text);
	}
	fputs("</table>\n", out);
	json_decref(copy);
}
