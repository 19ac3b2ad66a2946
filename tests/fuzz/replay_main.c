/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * A main() in libFuzzer's place, for compilers without it (gcc, and with it gcov): runs a fuzz
 * target once on each file of the folders named. It finds nothing new; it replays.
 */

#define INPUT_MAX (1U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	size_t size;

	if (file == NULL) {
		perror(path);
		return -1;
	}
	data = malloc(INPUT_MAX);
	if (data == NULL)
		abort();
	size = fread(data, 1, INPUT_MAX, file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

static int
replay_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	char path[4096];
	int files = 0;

	if (dir == NULL) {
		perror(folder);
		return -1;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (replay_file(path) != 0)
			break;
		files++;
	}
	closedir(dir);
	return entry == NULL ? files : -1;
}

int
main(int argc, char **argv)
{
	int i, files;

	for (i = 1; i < argc; i++) {
		files = replay_folder(argv[i]);
		if (files <= 0) /* an empty corpus would pass in silence */
			return 1;
		printf("%s: %d files replayed\n", argv[i], files);
	}
	return 0;
}
