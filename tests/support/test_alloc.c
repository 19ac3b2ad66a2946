/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_alloc.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
void __real_free(void *block);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_asprintf(char **ret, const char *format, ...) __attribute__((format(printf, 2, 3)));
void __wrap_free(void *block);

static uint32_t left; /* allocations until they fail; 0: they do not */
static bool failed;
static int64_t live;
static uint64_t bytes;

void
test_alloc_fail_from(uint32_t nth)
{
	left = nth;
	failed = false;
}

bool
test_alloc_failed(void)
{
	return failed;
}

int64_t
test_alloc_live(void)
{
	return live;
}

uint64_t
test_alloc_bytes(void)
{
	return bytes;
}

static bool
runs_out(void)
{
	if (left == 1)
		failed = true;
	else if (left > 1)
		left--;
	return failed;
}

static void *
count(void *block, size_t size)
{
	live += block != NULL;
	bytes += block != NULL ? size : 0;
	return block;
}

void *
__wrap_malloc(size_t size)
{
	return runs_out() ? NULL : count(__real_malloc(size), size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return runs_out() ? NULL : count(__real_calloc(n, size), n * size);
}

void *
__wrap_realloc(void *block, size_t size)
{
	void *moved = runs_out() ? NULL : __real_realloc(block, size);

	live += block == NULL && moved != NULL;
	return moved;
}

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return runs_out() ? NULL : count(__real_aligned_alloc(alignment, size), size);
}

char *
__wrap_strdup(const char *text)
{
	return runs_out() ? NULL : count(__real_strdup(text), 0);
}

int
__wrap_asprintf(char **ret, const char *format, ...)
{
	va_list args;
	int len;

	if (runs_out())
		return -1;
	va_start(args, format);
	len = vasprintf(ret, format, args);
	va_end(args);
	live += len >= 0;
	return len;
}

void
__wrap_free(void *block)
{
	live -= block != NULL;
	__real_free(block);
}
