/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_arp.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "nic_features.h"
#include "nic_state.h"
#include "nic_state_priv.h"

#define NAME "dpfst0"
#define NEW_NAME "dpfst9" /* what the driver calls it the next time */

/* A network namespace of the test's own with a tap interface; without root there is none. */
struct lab {
	bool made;
	int tap, control;
	char said[1024];
};

static void
say(void *ctx, const char *text)
{
	struct lab *lab = ctx;

	snprintf(lab->said, sizeof(lab->said), "%s", text);
}

static void
request(const struct lab *lab, unsigned long code, const char *name, struct ifreq *req)
{
	(void)snprintf(req->ifr_name, sizeof(req->ifr_name), "%s", name);
	assert_int_equal(ioctl(lab->control, code, req), 0);
}

static struct sockaddr
ipv4(const char *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr ret;

	assert_int_equal(inet_pton(AF_INET, address, &in.sin_addr), 1);
	memcpy(&ret, &in, sizeof(ret));
	return ret;
}

static bool
make_tap(struct lab *lab, const char *name)
{
	struct ifreq req = {.ifr_flags = IFF_TAP | IFF_NO_PI};

	(void)snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	lab->tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	return lab->tap >= 0 && ioctl(lab->tap, TUNSETIFF, &req) == 0;
}

static int
make(void **state)
{
	static struct lab lab;

	lab = (struct lab){.tap = -1};
	lab.made = unshare(CLONE_NEWNET) == 0 && make_tap(&lab, NAME);
	lab.control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	*state = &lab;
	return 0;
}

static int
unmake(void **state)
{
	struct lab *lab = *state;

	if (lab->tap >= 0)
		close(lab->tap);
	close(lab->control);
	return 0;
}

static void
need(const struct lab *lab)
{
	if (lab->made)
		return;
	print_message("skipped: cannot make a network namespace and a tap (not root?)\n");
	skip();
}

/* As a driver that lets go of its device, and takes it again. */
static void
make_anew(struct lab *lab)
{
	close(lab->tap);
	assert_true(make_tap(lab, NEW_NAME));
}

static void
add_route(const struct lab *lab, const char *to, const char *mask, const char *gateway)
{
	char name[] = NAME;
	struct rtentry route = {.rt_dst = ipv4(to),
		.rt_genmask = ipv4(mask),
		.rt_gateway = ipv4(gateway),
		.rt_flags = RTF_UP | RTF_GATEWAY,
		.rt_metric = 78,
		.rt_dev = name};

	assert_int_equal(ioctl(lab->control, SIOCADDRT, &route), 0);
}

static void
add_ipv6(const char *address)
{
	struct {
		struct in6_addr address;
		uint32_t prefix_len;
		int index;
	} req = {.prefix_len = 64, .index = (int)if_nametoindex(NAME)};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(inet_pton(AF_INET6, address, &req.address), 1);
	assert_int_equal(ioctl(fd, SIOCSIFADDR, &req), 0);
	close(fd);
}

static void
write_sysctl(const char *path, const char *value)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(value, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
configure(const struct lab *lab)
{
	static const uint8_t mac[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};
	struct ifreq req = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};

	memcpy(req.ifr_hwaddr.sa_data, mac, sizeof(mac));
	request(lab, SIOCSIFHWADDR, NAME, &req);
	req = (struct ifreq){.ifr_mtu = 1432};
	request(lab, SIOCSIFMTU, NAME, &req);
	req = (struct ifreq){.ifr_qlen = 321};
	request(lab, SIOCSIFTXQLEN, NAME, &req);
	write_sysctl("/proc/sys/net/ipv4/conf/" NAME "/rp_filter", "2");
	write_sysctl("/proc/sys/net/ipv6/conf/" NAME "/accept_ra", "0");
	req = (struct ifreq){.ifr_flags = IFF_UP | IFF_PROMISC | IFF_ALLMULTI | IFF_MULTICAST};
	request(lab, SIOCSIFFLAGS, NAME, &req);
	req = (struct ifreq){.ifr_addr = ipv4("198.18.0.1")};
	request(lab, SIOCSIFADDR, NAME, &req);
	req = (struct ifreq){.ifr_addr = ipv4("255.255.255.0")};
	request(lab, SIOCSIFNETMASK, NAME, &req);
	add_route(lab, "203.0.113.0", "255.255.255.0", "198.18.0.9");
	add_ipv6("2001:db8::1");
}

/* What of a state must be the same the next time. */
static void
forget_what_may_differ(json_t *state)
{
	json_object_del(state, "index");
	json_object_del(state, "saved_s");
	json_object_del(state, "permanent_mac");
}

/* The texts of a list, one a line, but for link-local addresses. */
static void
texts_of(const json_t *state, const char *key, char *buf, size_t room)
{
	json_t *item;
	size_t i;

	buf[0] = '\0';
	json_array_foreach(json_object_get(state, key), i, item)
	{
		const char *text = json_string_value(json_object_get(item, "text"));

		if (strncmp(text, "fe80:", 5) != 0)
			snprintf(buf + strlen(buf), room - strlen(buf), "%s\n", text);
	}
}

static void
test_state_of_an_interface_that_was_made_anew_is_put_back(void **state)
{
	struct lab *lab = *state;
	json_t *before, *after;
	char texts[512];

	need(lab);
	configure(lab);
	assert_int_equal(nic_state_save(NAME, &before), 0);
	make_anew(lab);
	assert_int_equal(nic_state_apply(NEW_NAME, before, say, lab), 0);
	assert_string_equal(lab->said, "");
	assert_int_equal(if_nametoindex(NEW_NAME), 0);
	assert_int_equal(nic_state_save(NAME, &after), 0);
	assert_string_equal(json_string_value(json_object_get(after, "mac")), "02:11:22:33:44:55");
	assert_int_equal(json_integer_value(json_object_get(after, "mtu")), 1432);
	assert_int_equal(json_integer_value(json_object_get(after, "txqlen")), 321);
	assert_true(json_is_true(json_object_get(after, "up")));
	assert_true(json_is_true(json_object_get(after, "promiscuous")));
	assert_true(json_is_true(json_object_get(after, "allmulticast")));
	texts_of(after, "addresses", texts, sizeof(texts));
	assert_string_equal(texts, "198.18.0.1/24\n2001:db8::1/64\n");
	texts_of(after, "routes", texts, sizeof(texts));
	assert_string_equal(texts, "203.0.113.0/24 via 198.18.0.9\n");
	assert_true(json_equal(
		json_object_get(before, "features"), json_object_get(after, "features")));
	assert_true(
		json_equal(json_object_get(before, "sysctl"), json_object_get(after, "sysctl")));
	json_decref(before);
	json_decref(after);
}

static void
test_state_that_is_already_so_may_be_put_back_again(void **state)
{
	struct lab *lab = *state;
	json_t *before, *after;
	char texts[512];

	need(lab);
	configure(lab);
	assert_int_equal(nic_state_save(NAME, &before), 0);
	assert_int_equal(nic_state_apply(NAME, before, say, lab), 0);
	assert_int_equal(nic_state_apply(NAME, before, say, lab), 0);
	assert_string_equal(lab->said, "");
	assert_int_equal(nic_state_save(NAME, &after), 0);
	texts_of(after, "addresses", texts, sizeof(texts));
	assert_string_equal(texts, "198.18.0.1/24\n2001:db8::1/64\n");
	texts_of(after, "routes", texts, sizeof(texts));
	assert_string_equal(texts, "203.0.113.0/24 via 198.18.0.9\n");
	json_decref(before);
	json_decref(after);
}

static void
test_state_of_an_interface_that_is_down_leaves_it_down(void **state)
{
	struct lab *lab = *state;
	json_t *before, *after;

	need(lab);
	assert_int_equal(nic_state_save(NAME, &before), 0);
	make_anew(lab);
	json_object_del(before, "mac"); /* a tap's is another each time */
	assert_int_equal(nic_state_apply(NEW_NAME, before, say, lab), 0);
	assert_string_equal(lab->said, "");
	assert_int_equal(nic_state_save(NAME, &after), 0);
	assert_true(json_is_false(json_object_get(after, "up")));
	json_object_del(after, "mac");
	forget_what_may_differ(before);
	forget_what_may_differ(after);
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
}

static void
test_state_offload_that_was_turned_off_is_turned_off_again(void **state)
{
	struct lab *lab = *state;
	json_t *off = NULL, *now, *before;

	need(lab);
	off = json_pack("{s:b}", "tx-tcp-segmentation", 0);
	if (nic_features_save(NAME, &now) != 0 ||
		json_object_get(now, "tx-generic-segmentation") == NULL) {
		print_message("skipped: this kernel's tap has no offloads to change\n");
		skip();
	}
	json_decref(now);
	json_object_clear(off);
	json_object_set_new(off, "tx-generic-segmentation", json_false());
	assert_int_equal(nic_features_apply(NAME, off), 0);
	assert_int_equal(nic_state_save(NAME, &before), 0);
	make_anew(lab);
	assert_int_equal(nic_features_save(NEW_NAME, &now), 0);
	assert_true(json_is_true(json_object_get(now, "tx-generic-segmentation")));
	json_decref(now);
	assert_int_equal(nic_state_apply(NEW_NAME, before, say, lab), 0);
	assert_int_equal(nic_features_save(NAME, &now), 0);
	assert_true(json_is_false(json_object_get(now, "tx-generic-segmentation")));
	json_decref(now);
	json_decref(before);
	json_decref(off);
}

/* The kernel has no such address family; what else is there is put back. */
static void
test_state_with_a_part_that_cannot_be_put_back_says_which(void **state)
{
	struct lab *lab = *state;
	json_t *before;

	need(lab);
	configure(lab);
	assert_int_equal(nic_state_save(NAME, &before), 0);
	make_anew(lab);
	json_object_set_new(before, "master", json_string("nobridge"));
	assert_int_equal(nic_state_apply(NEW_NAME, before, say, lab), 0);
	assert_non_null(strstr(lab->said, "nobridge"));
	assert_true(if_nametoindex(NAME) > 0);
	json_decref(before);
}

static void
test_state_of_nobody_is_an_error(void **state)
{
	struct lab *lab = *state;
	json_t *none = json_object(), *ret = NULL;

	assert_int_equal(nic_state_save("dpfnone", &ret), -ENODEV);
	assert_null(ret);
	assert_int_equal(nic_state_apply("lo", none, say, lab), -EINVAL);
	json_object_set_new(none, "name", json_string("dpfnone"));
	assert_int_equal(nic_state_apply("dpfnone", none, say, lab), -ENODEV);
	json_decref(none);
}

static void
test_state_hexadecimal_text_comes_back_as_bytes(void **state)
{
	static const uint8_t bytes[] = {0x00, 0xff, 0x7a, 0x01};
	json_t *text = state_hex(bytes, sizeof(bytes));
	uint8_t back[4];

	(void)state;
	assert_string_equal(json_string_value(text), "00ff7a01");
	assert_int_equal(state_unhex(json_string_value(text), back, sizeof(back)), 4);
	assert_memory_equal(back, bytes, 4);
	assert_int_equal(state_unhex(json_string_value(text), back, 3), 0);
	assert_int_equal(state_unhex("00f", back, 4), 0);
	assert_int_equal(state_unhex("00fg", back, 4), 0);
	assert_int_equal(state_unhex(NULL, back, 4), 0);
	json_decref(text);
}

/* The kernel's own words, cut short or with a length that cannot be. */
static void
test_state_attribute_beyond_the_end_is_not_found(void **state)
{
	static const uint8_t message[] = {
		1, 2, 3, 4, 6, 0, 1, 0, 0xaa, 0xbb, 0, 0, 5, 0, 2, 0, 0xcc};
	const uint8_t *found;
	size_t len;

	(void)state;
	found = state_attribute(message, sizeof(message), 4, 1, &len);
	assert_ptr_equal(found, message + 8);
	assert_int_equal(len, 2);
	found = state_attribute(message, sizeof(message), 4, 2, &len);
	assert_ptr_equal(found, message + 16);
	assert_int_equal(len, 1);
	assert_null(state_attribute(message, sizeof(message) - 1, 4, 2, &len));
	assert_null(state_attribute(message, sizeof(message), 4, 3, &len));
	assert_null(state_attribute(message, 3, 4, 1, &len));
	assert_null(state_attribute(message, sizeof(message), 0, 9, &len));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_state_of_an_interface_that_was_made_anew_is_put_back),
		TEST(test_state_that_is_already_so_may_be_put_back_again),
		TEST(test_state_of_an_interface_that_is_down_leaves_it_down),
		TEST(test_state_offload_that_was_turned_off_is_turned_off_again),
		TEST(test_state_with_a_part_that_cannot_be_put_back_says_which),
		TEST(test_state_of_nobody_is_an_error),
		cmocka_unit_test(test_state_hexadecimal_text_comes_back_as_bytes),
		cmocka_unit_test(test_state_attribute_beyond_the_end_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
