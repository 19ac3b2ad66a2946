/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <xxhash.h>

#include "base_check.h"
#include "sink_digest.h"

/* Exactly one of evp and xxh is set. */
struct sink_hasher {
	EVP_MD_CTX *evp;
	XXH3_state_t *xxh;
};

static const struct digest_entry {
	const char *name; /* RFC 9530 §5 where registered */
	const EVP_MD *(*evp)(void);
} digests[] = {
	[SINK_DIGEST_NONE] = {"none", NULL},
	[SINK_DIGEST_SHA256] = {"sha-256", EVP_sha256},
	[SINK_DIGEST_SHA512] = {"sha-512", EVP_sha512},
	[SINK_DIGEST_SHA1] = {"sha-1", EVP_sha1},
	[SINK_DIGEST_MD5] = {"md5", EVP_md5},
	[SINK_DIGEST_XXH3_128] = {"xxh3-128", NULL},
};
#define DIGESTS (sizeof(digests) / sizeof(digests[0]))

/* RFC 9530 registers SHA-1 as "sha". */
#define SHA1_ALIAS "sha"

static char
next_letter(const char **text)
{
	while (**text == '-' || **text == '_')
		(*text)++;
	if (**text == '\0')
		return '\0';
	return (char)tolower((unsigned char)*(*text)++);
}

static bool
same_name(const char *a, const char *b)
{
	char x, y;

	do {
		x = next_letter(&a);
		y = next_letter(&b);
	} while (x == y && x != '\0');
	return x == y;
}

uint32_t
sink_digest_hex_len(enum sink_digest digest)
{
	static const uint32_t len[DIGESTS] = {
		[SINK_DIGEST_SHA256] = 64,
		[SINK_DIGEST_SHA512] = 128,
		[SINK_DIGEST_SHA1] = 40,
		[SINK_DIGEST_MD5] = 32,
		[SINK_DIGEST_XXH3_128] = 32,
	};

	return len[digest];
}

int
sink_digest_parse(const char *name, enum sink_digest *ret)
{
	size_t i;

	for (i = SINK_DIGEST_NONE + 1; i < DIGESTS; i++) {
		if (same_name(name, digests[i].name)) {
			*ret = (enum sink_digest)i;
			return 0;
		}
	}
	if (!same_name(name, SHA1_ALIAS))
		return -EINVAL;
	*ret = SINK_DIGEST_SHA1;
	return 0;
}

const char *
sink_digest_name(enum sink_digest digest)
{
	CHECK((size_t)digest < DIGESTS);
	return digests[digest].name;
}

static int
hasher_start(struct sink_hasher *h, enum sink_digest digest)
{
	if (digest == SINK_DIGEST_XXH3_128) {
		h->xxh = XXH3_createState();
		return h->xxh != NULL && XXH3_128bits_reset(h->xxh) == XXH_OK ? 0 : -ENOMEM;
	}
	h->evp = EVP_MD_CTX_new();
	if (h->evp == NULL)
		return -ENOMEM;
	return EVP_DigestInit_ex(h->evp, digests[digest].evp(), NULL) == 1 ? 0 : -ENOTSUP;
}

int
sink_hasher_create(enum sink_digest digest, struct sink_hasher **ret)
{
	struct sink_hasher *h;
	int rc;

	CHECK((size_t)digest < DIGESTS);
	if (digest == SINK_DIGEST_NONE) {
		*ret = NULL;
		return 0;
	}
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return -ENOMEM;
	rc = hasher_start(h, digest);
	if (rc < 0) {
		sink_hasher_destroy(h);
		return rc;
	}
	*ret = h;
	return 0;
}

void
sink_hasher_feed(struct sink_hasher *h, const void *data, size_t len)
{
	if (h == NULL || len == 0)
		return;
	if (h->xxh != NULL)
		CHECK(XXH3_128bits_update(h->xxh, data, len) == XXH_OK);
	else
		CHECK(EVP_DigestUpdate(h->evp, data, len) == 1);
}

static void
hex_encode(const uint8_t *bytes, size_t len, char *ret_hex)
{
	static const char hex[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < len; i++) {
		ret_hex[2 * i] = hex[bytes[i] >> 4];
		ret_hex[2 * i + 1] = hex[bytes[i] & 15];
	}
	ret_hex[2 * len] = '\0';
}

void
sink_hasher_final(struct sink_hasher *h, char ret_hex[SINK_DIGEST_HEX_MAX])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	XXH128_canonical_t canonical;
	unsigned int len = 0;

	ret_hex[0] = '\0';
	if (h == NULL)
		return;
	if (h->xxh != NULL) {
		XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(h->xxh));
		hex_encode(canonical.digest, sizeof(canonical.digest), ret_hex);
		return;
	}
	CHECK(EVP_DigestFinal_ex(h->evp, digest, &len) == 1);
	hex_encode(digest, len, ret_hex);
}

void
sink_hasher_destroy(struct sink_hasher *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->evp);
	XXH3_freeState(h->xxh);
	free(h);
}
