/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * docgen man TEMPLATE: the man page, TEMPLATE with its lines @OPTIONS@ and @VARIABLES@ replaced by
 * what the option table and report_variables.def say. docgen completion: bash completion.
 */
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "settings.h"

static void
print(void *ctx, const char *text)
{
	(void)ctx;
	fputs(text, stdout);
}

static void
print_variables(void)
{
	const char *name, *help;
	uint32_t i;

	for (i = 0; report_variable_describe(i, &name, &help); i++)
		printf(".TP\n.B %s\n%s\n", name, help);
}

static int
print_man(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[1024];

	if (file == NULL) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strcmp(line, "@OPTIONS@\n") == 0)
			settings_man(print, NULL);
		else if (strcmp(line, "@VARIABLES@\n") == 0)
			print_variables();
		else
			fputs(line, stdout);
	}
	fclose(file);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "man") == 0)
		return print_man(argv[2]);
	if (argc == 2 && strcmp(argv[1], "completion") == 0) {
		settings_completion(print, NULL);
		return 0;
	}
	fputs("usage: docgen man TEMPLATE | completion\n", stderr);
	return 2;
}
