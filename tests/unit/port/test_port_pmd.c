/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "port_pmd.h"

#define ANY 0x1234

/* Drivers' files as this machine's DPDK has them are tests of the real format. */
static void
test_pmd_of_an_installed_driver_is_found_by_pci_id(void **state)
{
	struct port_pmds *pmds;
	struct port_pmd pmd;

	(void)state;
	assert_int_equal(port_pmds_read(NULL, &pmds), 0);
	assert_true(port_pmds_find(pmds, 0x8086, 0x10d3, ANY, ANY, &pmd)); /* 82574L */
	assert_string_equal(pmd.name, "net_e1000_em");
	assert_false(pmd.bifurcated);
	assert_true(port_pmds_find(pmds, 0x1af4, 0x1041, ANY, ANY, &pmd));
	assert_string_equal(pmd.name, "net_virtio");
	assert_true(port_pmds_find(pmds, 0x15b3, 0x1017, ANY, ANY, &pmd)); /* ConnectX-5 */
	assert_string_equal(pmd.name, "mlx5_eth");
	assert_true(pmd.bifurcated);
	assert_false(port_pmds_find(pmds, 0x10ec, 0x8139, ANY, ANY, &pmd));
	assert_false(port_pmds_find(pmds, 0x8086, 0xfffe, ANY, ANY, &pmd));
	port_pmds_free(pmds);
}

/* A file with these bytes in a new folder, whose name goes to folder. '@' stands for '=': else this program,
 * which is looked through as well, would contain drivers. */
static void
write_driver(char *folder, const char *name, const char *text, size_t len)
{
	volatile char equals = '='; /* the compiler must not do it beforehand */
	char path[128], bytes[1024];
	size_t i;
	int fd;

	assert_true(len <= sizeof(bytes));
	for (i = 0; i < len; i++)
		bytes[i] = text[i] == '@' ? equals : text[i];

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static void
remove_driver(const char *folder, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void
test_pmd_with_subsystem_ids_takes_only_those(void **state)
{
	static const char bytes[] =
		"\177ELF\0PMD_INFO_STRING@ {\"name\": \"net_broken\", \"pci_ids\": [[1\0"
		"PMD_INFO_STRING@ {\"name\": \"net_exact\", \"kmod\": \"* vfio-pci\", "
		"\"pci_ids\": [[1, 2, 3, 4], [5, 6, 65535, 65535]]}\0"
		"PMD_INFO_STRING@ {\"name\": \"net_virtual\", \"pci_ids\": []}\0"
		"PMD_INFO_STRING@ {\"name\": \"net_beyond_the_end\", \"pci_ids\": [[7, 8, 9, 9]]}";
	char folder[] = "/tmp/dpfetch-pmd-XXXXXX";
	struct port_pmds *pmds;
	struct port_pmd pmd;

	(void)state;
	write_driver(folder, "librte_net_x.so.23.0", bytes, sizeof(bytes) - 1);
	assert_int_equal(port_pmds_read(folder, &pmds), 0);
	assert_true(port_pmds_find(pmds, 1, 2, 3, 4, &pmd));
	assert_string_equal(pmd.name, "net_exact");
	assert_false(port_pmds_find(pmds, 1, 2, 3, 5, &pmd));
	assert_true(port_pmds_find(pmds, 5, 6, 3, 5, &pmd));
	assert_false(port_pmds_find(pmds, 7, 8, 9, 9, &pmd));
	port_pmds_free(pmds);
	remove_driver(folder, "librte_net_x.so.23.0");
}

static void
test_pmd_folder_without_network_drivers_has_none(void **state)
{
	static const char bytes[] =
		"PMD_INFO_STRING@ {\"name\": \"crypto_x\", \"pci_ids\": [[1, 2, 3, 4]]}";
	char folder[] = "/tmp/dpfetch-pmd-XXXXXX";
	struct port_pmds *pmds;
	struct port_pmd pmd;

	(void)state;
	write_driver(folder, "librte_crypto_x.so", bytes, sizeof(bytes));
	assert_int_equal(port_pmds_read(folder, &pmds), 0);
	assert_false(port_pmds_find(pmds, 1, 2, 3, 4, &pmd));
	port_pmds_free(pmds);
	remove_driver(folder, "librte_crypto_x.so");
	assert_int_equal(port_pmds_read("/nowhere", &pmds), 0);
	assert_false(port_pmds_find(pmds, 1, 2, 3, 4, &pmd));
	port_pmds_free(pmds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pmd_of_an_installed_driver_is_found_by_pci_id),
		cmocka_unit_test(test_pmd_with_subsystem_ids_takes_only_those),
		cmocka_unit_test(test_pmd_folder_without_network_drivers_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
