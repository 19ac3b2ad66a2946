/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <rte_config.h>
#include <rte_pci.h>

#include "port_pmd.h"

#define MARK "PMD_INFO_STRING= "
#define FILE_PREFIX "librte_net_"
#define ID_FIELDS 4U
#define VFIO "vfio-pci"

struct pmd_id {
	uint16_t field
		[ID_FIELDS]; /* vendor, device and the subsystem's; RTE_PCI_ANY_ID: whatever it is */
	uint32_t driver;
};

struct pmd_driver {
	char *name;
	bool bifurcated;
};

struct port_pmds {
	struct pmd_driver *drivers;
	struct pmd_id *ids;
	uint32_t driver_count, id_count;
	bool no_memory;
};

static void
add_id(struct port_pmds *p, const json_t *fields)
{
	struct pmd_id *grown = realloc(p->ids, (p->id_count + 1U) * sizeof(*grown)), *id;
	size_t i;

	if (grown == NULL) {
		p->no_memory = true;
		return;
	}
	p->ids = grown;
	id = &grown[p->id_count++];
	id->driver = p->driver_count - 1U;
	for (i = 0; i < ID_FIELDS; i++)
		id->field[i] = (uint16_t)json_integer_value(json_array_get(fields, i));
}

static bool
add_driver(struct port_pmds *p, const char *name, const char *modules)
{
	struct pmd_driver *grown = realloc(p->drivers, (p->driver_count + 1U) * sizeof(*grown));
	char *copy = strdup(name);

	if (grown != NULL)
		p->drivers = grown;
	if (grown == NULL || copy == NULL) {
		free(copy);
		p->no_memory = true;
		return false;
	}
	grown[p->driver_count++] = (struct pmd_driver){
		.name = copy,
		.bifurcated = modules != NULL && strstr(modules, VFIO) == NULL,
	};
	return true;
}

/* {"name": "net_e1000_em", "kmod": "* igb_uio | vfio-pci", "pci_ids": [[32902, 4110, 65535, 65535]]} */
static void
take_description(struct port_pmds *p, const char *text)
{
	json_t *root = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);
	const json_t *ids = json_object_get(root, "pci_ids");
	const char *name = json_string_value(json_object_get(root, "name"));
	size_t i;

	if (name != NULL && json_array_size(ids) > 0 &&
		add_driver(p, name, json_string_value(json_object_get(root, "kmod")))) {
		for (i = 0; i < json_array_size(ids); i++)
			add_id(p, json_array_get(ids, i));
	}
	json_decref(root);
}

static void
search(struct port_pmds *p, const char *bytes, size_t len)
{
	const char *at = bytes, *end = bytes + len;

	while ((at = memmem(at, (size_t)(end - at), MARK, strlen(MARK))) != NULL) {
		at += strlen(MARK);
		if (memchr(at, '\0', (size_t)(end - at)) != NULL)
			take_description(p, at);
	}
}

static void
read_file(struct port_pmds *p, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *bytes;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (bytes != MAP_FAILED) {
			search(p, bytes, (size_t)st.st_size);
			munmap(bytes, (size_t)st.st_size);
		}
	}
	close(fd);
}

/* A driver has three names there, two of them links. */
static bool
is_driver(const char *folder, const char *name, char path[PATH_MAX])
{
	struct stat st;

	if (strncmp(name, FILE_PREFIX, strlen(FILE_PREFIX)) != 0)
		return false;
	(void)snprintf(path, PATH_MAX, "%s/%s", folder, name);
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static void
read_folder(struct port_pmds *p, const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	char path[PATH_MAX];

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (is_driver(folder, entry->d_name, path))
			read_file(p, path);
	}
	(void)closedir(dir);
}

int
port_pmds_read(const char *folder, struct port_pmds **ret)
{
	struct port_pmds *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -ENOMEM;
	read_folder(p, folder != NULL ? folder : RTE_EAL_PMD_PATH);
	read_file(p, "/proc/self/exe");
	if (p->no_memory) {
		port_pmds_free(p);
		return -ENOMEM;
	}
	*ret = p;
	return 0;
}

bool
port_pmds_find(const struct port_pmds *pmds, uint16_t vendor, uint16_t device,
	uint16_t subsystem_vendor, uint16_t subsystem_device, struct port_pmd *ret)
{
	const uint16_t wanted[ID_FIELDS] = {vendor, device, subsystem_vendor, subsystem_device};
	const struct pmd_driver *driver;
	uint32_t i, k;

	for (i = 0; i < pmds->id_count; i++) {
		for (k = 0; k < ID_FIELDS; k++) {
			if (pmds->ids[i].field[k] != wanted[k] &&
				pmds->ids[i].field[k] != RTE_PCI_ANY_ID)
				break;
		}
		if (k < ID_FIELDS)
			continue;
		driver = &pmds->drivers[pmds->ids[i].driver];
		*ret = (struct port_pmd){driver->name, driver->bifurcated};
		return true;
	}
	return false;
}

void
port_pmds_free(struct port_pmds *pmds)
{
	uint32_t i;

	if (pmds == NULL)
		return;
	for (i = 0; i < pmds->driver_count; i++)
		free(pmds->drivers[i].name);
	free(pmds->drivers);
	free(pmds->ids);
	free(pmds);
}
