/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "capture.h"
#include "capture_limits.h"

#define FRAME_LEN 100U
#define BLOCK_PACKET 6U

static char folder[] = "/tmp/dpfetch-capture-XXXXXX";
static char path[64], on_error[64];

/* A packet as it stands in the file. */
struct seen {
	uint32_t captured, original;
	uint64_t at_ns;
	const uint8_t *data;
};

static uint8_t *content;
static size_t content_len;

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/dpfetch-capture-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	snprintf(on_error, sizeof(on_error), "%s/error", folder);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(content);
	content = NULL;
	unlink(path);
	unlink(on_error);
	return rmdir(folder);
}

static void
load(const char *name)
{
	FILE *f = fopen(name, "rb");

	assert_non_null(f);
	free(content);
	content = malloc(1 << 24);
	content_len = fread(content, 1, 1 << 24, f);
	fclose(f);
}

/* The packets of what was loaded, up to room of them. Returns how many there are. */
static uint32_t
packets(struct seen *ret, uint32_t room)
{
	uint32_t head[7], n = 0;
	size_t at = 0;

	for (; at < content_len; at += head[1]) {
		memcpy(head, content + at, sizeof(head));
		assert_true(head[1] >= 12 && at + head[1] <= content_len);
		if (head[0] != BLOCK_PACKET)
			continue;
		if (n < room)
			ret[n] = (struct seen){head[5], head[6],
				((uint64_t)head[3] << 32) + head[4], content + at + 28};
		n++;
	}
	assert_int_equal(at, content_len);
	return n;
}

static struct capture *
create(struct capture_config cfg)
{
	struct capture *c = NULL;

	cfg.application = "test";
	cfg.interface = "c0";
	cfg.epoch_ns = 1000;
	assert_int_equal(capture_create(&cfg, &c), 0);
	return c;
}

static void
receive(struct capture_tap *t, uint8_t mark, uint64_t now_ns)
{
	uint8_t data[FRAME_LEN];
	const struct frame f = {.data = data, .len = sizeof(data)};

	memset(data, mark, sizeof(data));
	capture_received(t, &f, now_ns);
	memset(data, 0, sizeof(data)); /* what becomes of the buffer meanwhile does not show */
	capture_settle(t, DROP_NONE);
}

static void
test_capture_file_has_both_directions_in_order(void **state)
{
	struct capture *c = create((struct capture_config){.path = path, .queues = 1});
	uint8_t data[FRAME_LEN];
	const struct tx_frame f = {.data = data, .len = 60};
	struct capture_result r;
	struct seen s[3];

	(void)state;
	receive(capture_tap_of(c, 0), 1, 10);
	memset(data, 2, sizeof(data));
	capture_sent(capture_tap_of(c, 0), &f, 11);
	receive(capture_tap_of(c, 0), 3, 12);
	capture_finish(c, false, &r);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.packets, 3);
	assert_int_equal(r.left_out, 0);
	load(path);
	assert_int_equal(packets(s, 3), 3);
	assert_true(s[0].at_ns == 1010 && s[0].data[99] == 1 && s[0].original == FRAME_LEN);
	assert_true(s[1].at_ns == 1011 && s[1].data[59] == 2 && s[1].original == 60);
	assert_true(s[2].at_ns == 1012 && s[2].data[0] == 3);
}

static void
test_capture_parts_are_joined_and_a_stripped_tag_is_put_back(void **state)
{
	struct capture *c = create((struct capture_config){.path = path, .queues = 1});
	uint8_t head[14] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x08, 0x00}, rest[50];
	struct frame second = {.data = rest, .len = sizeof(rest)};
	struct frame f = {.data = head,
		.len = sizeof(head),
		.flags = FRAME_VLAN_STRIPPED,
		.vlan_tci = 0x2064,
		.next = &second};
	struct capture_result r;
	struct seen s[1];

	(void)state;
	memset(rest, 0x77, sizeof(rest));
	capture_received(capture_tap_of(c, 0), &f, 1);
	capture_settle(capture_tap_of(c, 0), DROP_VLAN_ID);
	capture_finish(c, false, &r);
	load(path);
	assert_int_equal(packets(s, 1), 1);
	assert_int_equal(s[0].captured, sizeof(head) + 4 + sizeof(rest));
	assert_memory_equal(s[0].data, head, 12);
	assert_memory_equal(s[0].data + 12, "\x81\x00\x20\x64\x08\x00", 6);
	assert_memory_equal(s[0].data + 18, rest, sizeof(rest));
	assert_non_null(memmem(content, content_len, "drop_vlan_id", 12));
}

static void
test_capture_snaplen_cuts_the_bytes_not_the_length(void **state)
{
	struct capture *c =
		create((struct capture_config){.path = path, .queues = 1, .snaplen = 30});
	struct capture_result r;
	struct seen s[1];

	(void)state;
	receive(capture_tap_of(c, 0), 1, 1);
	capture_finish(c, false, &r);
	load(path);
	assert_int_equal(packets(s, 1), 1);
	assert_int_equal(s[0].captured, 30);
	assert_int_equal(s[0].original, FRAME_LEN);
}

static void
test_capture_several_queues_are_merged_by_time(void **state)
{
	struct capture *c = create((struct capture_config){.on_error = on_error, .queues = 2});
	struct capture_result r;
	struct seen s[4];
	uint32_t i;

	(void)state;
	receive(capture_tap_of(c, 1), 0, 20);
	receive(capture_tap_of(c, 1), 0, 40);
	receive(capture_tap_of(c, 0), 0, 10);
	receive(capture_tap_of(c, 0), 0, 30);
	capture_finish(c, true, &r);
	assert_int_equal(r.kept, 4);
	load(on_error);
	assert_int_equal(packets(s, 4), 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(s[i].at_ns, 1000 + 10 * (i + 1));
}

static void
test_capture_on_error_is_written_only_then(void **state)
{
	struct capture_config cfg = {.on_error = on_error, .queues = 1, .keep_packets = 5};
	struct capture *c = create(cfg);
	struct capture_result r;
	struct seen s[5];
	uint8_t i;

	(void)state;
	receive(capture_tap_of(c, 0), 1, 1);
	capture_finish(c, false, &r);
	assert_int_equal(r.kept, 0);
	assert_int_equal(access(on_error, F_OK), -1);
	c = create(cfg);
	for (i = 0; i < 100; i++)
		receive(capture_tap_of(c, 0), i, i);
	capture_finish(c, true, &r);
	assert_int_equal(r.kept, 5);
	load(on_error);
	assert_int_equal(packets(s, 5), 5);
	assert_int_equal(s[0].data[0], 95);
	assert_int_equal(s[4].data[0], 99);
}

static void
test_capture_file_ends_at_its_size(void **state)
{
	struct capture *c =
		create((struct capture_config){.path = path, .queues = 1, .file_bytes_max = 10000});
	struct capture_result r;
	uint32_t i;

	(void)state;
	for (i = 0; i < 1000; i++)
		receive(capture_tap_of(c, 0), 1, i);
	capture_finish(c, false, &r);
	assert_true(r.full);
	assert_int_equal(r.error, 0);
	load(path);
	assert_in_range(content_len, 10000, 10400);
	assert_int_equal(packets(NULL, 0), r.packets);
}

static void
test_capture_full_disk_is_reported_and_ends_the_file(void **state)
{
	struct capture *c = create((struct capture_config){.path = "/dev/full", .queues = 1});
	struct capture_result r;
	uint32_t i;

	(void)state;
	for (i = 0; i < 20000; i++)
		receive(capture_tap_of(c, 0), 1, i);
	capture_finish(c, false, &r);
	assert_int_equal(r.error, -ENOSPC);
	assert_true(r.packets < 20000);
}

static void
test_capture_unwritable_path_is_an_error_at_once(void **state)
{
	const struct capture_config cfg = {
		.path = "/nowhere/at/all", .application = "test", .interface = "c0", .queues = 1};
	struct capture *c = NULL;

	(void)state;
	assert_int_equal(capture_create(&cfg, &c), -ENOENT);
	assert_null(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_capture_file_has_both_directions_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_capture_parts_are_joined_and_a_stripped_tag_is_put_back, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_capture_snaplen_cuts_the_bytes_not_the_length, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_capture_several_queues_are_merged_by_time, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_capture_on_error_is_written_only_then, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_capture_file_ends_at_its_size, setup, teardown),
		cmocka_unit_test(test_capture_full_disk_is_reported_and_ends_the_file),
		cmocka_unit_test(test_capture_unwritable_path_is_an_error_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
