/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_eal.h>

#include "port.h"
#include "port_telemetry.h"

#define ANSWER_MAX 16384U /* bytes; DPDK's limit */

/* One EAL a process: what the tests do follows the order of main(). */
static const struct port_eal_config config = {
	.program = "test",
	.nic = "net_null0",
	.mode = PORT_NIC_VDEV,
	.mtu = 1500,
	.telemetry = true,
	.memory_bytes = 8U << 20,
	.queues = 1,
};

static char path[PORT_TELEMETRY_PATH_MAX], folder[PORT_TELEMETRY_PATH_MAX];

static void
answer_texts(void *ctx, struct port_telemetry_answer *ret)
{
	char long_text[200];

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	port_telemetry_add_number(ret, "asked", ++*(uint64_t *)ctx);
	port_telemetry_add_number(ret, "most", UINT64_MAX);
	port_telemetry_add_text(ret, "odd", "a\"b\\c\nd\xc3\xa4");
	port_telemetry_add_text(ret, "long", long_text);
}

static const struct port_telemetry_endpoint endpoints[] = {{"/test/texts", "texts", answer_texts}};

static int
connect_client(char *greeting)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	assert_true(fd >= 0);
	memcpy(address.sun_path, path, strlen(path));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_true(read(fd, greeting, ANSWER_MAX) > 0);
	return fd;
}

static void
ask(int fd, const char *command, char *ret_answer)
{
	ssize_t bytes;

	assert_int_equal(write(fd, command, strlen(command)), strlen(command));
	bytes = read(fd, ret_answer, ANSWER_MAX - 1);
	assert_true(bytes > 0);
	ret_answer[bytes] = '\0';
}

static int
setup(void **state)
{
	char message[PORT_MESSAGE_MAX], name[32];
	uint16_t id;

	(void)state;
	assert_false(port_telemetry_socket(path, sizeof(path)));
	if (port_eal_start(&config, &id, message) != 0)
		fail_msg("%s", message);
	assert_false(port_telemetry_socket(path, 4));
	assert_true(port_telemetry_socket(path, sizeof(path)));
	snprintf(name, sizeof(name), "/dpfetch-%d/", (int)getpid());
	assert_non_null(strstr(path, name));
	snprintf(folder, sizeof(folder), "%s", rte_eal_get_runtime_dir());
	return 0;
}

static void
test_telemetry_answers_are_json_whatever_the_texts(void **state)
{
	char answer[ANSWER_MAX], wanted[400];
	uint64_t asked = 0;
	int fd;

	(void)state;
	fd = connect_client(answer);
	assert_int_equal(port_telemetry_open(endpoints, 1, &asked), 0);
	assert_int_equal(port_telemetry_open(endpoints, 1, &asked), -EALREADY);
	ask(fd, "/test/texts", answer);
	snprintf(wanted, sizeof(wanted),
		"{\"/test/texts\":{\"asked\":1,\"most\":18446744073709551615,"
		"\"odd\":\"a\\\"b\\\\c?d??\",\"long\":\"%.127s\"}}",
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	assert_string_equal(answer, wanted);
	ask(fd, "/test/texts", answer);
	assert_non_null(strstr(answer, "\"asked\":2,"));
	port_telemetry_close();
	ask(fd, "/test/texts", answer);
	assert_string_equal(answer, "{\"/test/texts\":null}");
	assert_int_equal(asked, 2);
	close(fd);
}

static void
test_telemetry_socket_and_folder_are_gone_when_the_eal_has_stopped(void **state)
{
	(void)state;
	assert_int_equal(access(path, F_OK), 0);
	port_eal_stop();
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(folder, F_OK), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_telemetry_answers_are_json_whatever_the_texts),
		cmocka_unit_test(
			test_telemetry_socket_and_folder_are_gone_when_the_eal_has_stopped),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
