/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <openssl/evp.h>

#include "base_check.h"
#include "base_time.h"
#include "lasting.h"

#define LINE_MAX_BYTES 128U

/* Adds the file's first line to the digest. */
static bool
add_line(EVP_MD_CTX *digest, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[LINE_MAX_BYTES];
	bool read;

	if (file == NULL)
		return false;
	read = fgets(line, sizeof(line), file) != NULL;
	fclose(file);
	return read && EVP_DigestUpdate(digest, line, strlen(line) + 1) == 1;
}

bool
lasting_secret_of(const char *const *path, size_t count, struct siphash_key *ret)
{
	static const char purpose[] = "dpfetch: initial sequence numbers and timestamps";
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	uint8_t out[EVP_MAX_MD_SIZE];
	bool any = false;
	size_t i;

	if (digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
		EVP_DigestUpdate(digest, purpose, sizeof(purpose)) == 1) {
		for (i = 0; i < count; i++)
			any |= add_line(digest, path[i]);
		any = any && EVP_DigestFinal_ex(digest, out, NULL) == 1;
	}
	EVP_MD_CTX_free(digest);
	if (any)
		memcpy(ret, out, sizeof(*ret));
	else
		CHECK(getrandom(ret, sizeof(*ret), 0) == (ssize_t)sizeof(*ret));
	return any;
}

bool
lasting_secret(struct siphash_key *ret)
{
	static const char *const path[] = {
		"/proc/sys/kernel/random/boot_id", "/etc/machine-id",
		"/sys/class/dmi/id/product_uuid", /* root's */
	};

	return lasting_secret_of(path, sizeof(path) / sizeof(path[0]), ret);
}

int64_t
lasting_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * (int64_t)NS_PER_SEC + now.tv_nsec;
}
