/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nic_bind_priv.h"
#include "nic_driver.h"
#include "nic_sysfs.h"
#include "nic_virtio.h"

#define PCI_CLASS_NETWORK 0x02U
#define PCI_CLASS_BRIDGE 0x06U
#define CLASS_SHIFT 16U

int
nic_fail(char *message, int rc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message, NIC_MESSAGE_MAX, format, args);
	va_end(args);
	return rc;
}

/* "[none] integrity confidentiality": the one in brackets. */
bool
nic_is_locked_down(const struct nic_system *s)
{
	char folder[NIC_PATH_MAX], text[128];
	const char *mark;

	nic_system_path(s, folder, "/sys/kernel/security");
	if (!nic_sysfs_text(folder, "lockdown", text, sizeof(text)))
		return false;
	mark = strchr(text, '[');
	return mark != NULL && strncmp(mark, "[none]", 6) != 0;
}

int
nic_explain_module(const struct nic_system *s, const char *driver, int rc, char *message)
{
	if (rc == -ENOENT)
		return nic_fail(message, rc,
			"the kernel has no module %s: it was built without, or its package is not "
			"installed (Debian's linux-image has it; Ubuntu: "
			"linux-modules-extra-$(uname -r)); "
			"`modprobe %s` must work%s",
			driver, driver,
			strcmp(driver, NIC_VFIO) == 0
				? ". Without it: --driver uio_pci_generic, which is unsafe"
				: "");
	if (nic_is_locked_down(s) || rc == -EKEYREJECTED || rc == -ENOKEY)
		return nic_fail(message, rc,
			"the kernel does not load %s (%s): it is locked down by Secure Boot and "
			"takes "
			"signed modules only; use the distribution's own kernel and module, sign "
			"the "
			"module (mokutil --import), or turn Secure Boot off",
			driver, strerror(-rc));
	if (rc == -EPERM || rc == -EACCES)
		return nic_fail(message, rc,
			"no permission to load the module %s: run as root (sudo), or have root "
			"load it: "
			"sudo modprobe %s",
			driver, driver);
	return nic_fail(message, rc,
		"the module %s could not be loaded: %s; `dmesg | tail` tells more", driver,
		strerror(-rc));
}

static bool
is_forced(const struct nic_bind_config *cfg, const struct nic_device *d)
{
	return cfg->force != NULL && strcmp(cfg->force, d->address) == 0;
}

static int
judge_needs(const struct nic_bind_config *cfg, const struct nic_device *d, char *message)
{
	char needs[NIC_MESSAGE_MAX / 2];
	uint32_t i;

	if (is_forced(cfg, d))
		return 0;
	if (nic_device_is_needed(d, needs, sizeof(needs)))
		return nic_fail(message, -EPERM,
			"%s: %s; without it this machine may not be reached. Nothing was changed. "
			"--force %s takes it all the same",
			d->address, needs, d->address);
	for (i = 0; i < d->port_count; i++) {
		if (d->ports[i].above[0] != '\0')
			return nic_fail(message, -EPERM,
				"%s: %s stands on its interface %s, and would lose it (a VLAN "
				"would be deleted). Nothing was changed. --force %s takes it all "
				"the "
				"same",
				d->address, d->ports[i].above, d->ports[i].info.interface,
				d->address);
	}
	return 0;
}

/* Bound to nothing, to vfio, or never to be bound: then the group is whole. */
static bool
hinders(const struct nic_bind_config *cfg, const struct nic_member *m)
{
	static const char *const harmless[] = {"", "pci-stub", "pcieport", "shpchp"};
	char address[NIC_NAME_MAX];
	size_t i;

	for (i = 0; i < cfg->together_count; i++) {
		if (nic_pci_address_parse(cfg->together[i], address) &&
			strcmp(m->address, address) == 0)
			return false;
	}
	for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		if (strcmp(m->driver, harmless[i]) == 0)
			return false;
	}
	return strstr(m->driver, "vfio") == NULL && /* mlx5_vfio_pci and the like, too */
	       m->class_code >> CLASS_SHIFT != PCI_CLASS_BRIDGE;
}

struct hindrances {
	char list[NIC_MESSAGE_MAX / 4]; /* "0000:05:00.1 (e1000e), 0000:05:00.2 (snd_hda_intel)" */
	char nics[NIC_MESSAGE_MAX / 4]; /* " 0000:05:00.1": those that can be bound, too */
	char other[NIC_NAME_MAX]; /* one that cannot; "" none */
};

static void append(char *text, size_t room, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void
append(char *text, size_t room, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text + used, room - used, format, args);
	va_end(args);
}

static struct hindrances
find_hindrances(const struct nic_bind_config *cfg, const struct nic_device *d)
{
	struct hindrances h = {.list = ""};
	const struct nic_member *m;
	uint32_t i;

	for (i = 0; i < d->member_count; i++) {
		m = &d->members[i];
		if (!hinders(cfg, m))
			continue;
		append(h.list, sizeof(h.list), "%s%s (%s)", h.list[0] != '\0' ? ", " : "",
			m->address, m->driver);
		if (m->class_code >> CLASS_SHIFT == PCI_CLASS_NETWORK)
			append(h.nics, sizeof(h.nics), " %s", m->address);
		else
			(void)snprintf(h.other, sizeof(h.other), "%s", m->address);
	}
	return h;
}

/* What to do: the NICs by one command of ours, others by their driver's own. */
static int
judge_group(const struct nic_bind_config *cfg, const struct nic_device *d, char *message)
{
	const struct hindrances h = find_hindrances(cfg, d);
	char others[NIC_MESSAGE_MAX / 4] = "";

	if (h.list[0] == '\0')
		return 0;
	if (h.other[0] != '\0')
		(void)snprintf(others, sizeof(others),
			"%s no NIC: take it from its driver: echo %s | sudo tee "
			"/sys/bus/pci/devices/%s/driver/unbind",
			h.nics[0] != '\0' ? "; what is" : "What is", h.other, h.other);
	return nic_fail(message, -EBUSY,
		"%s cannot be handed over alone: its IOMMU group %d also has %s. All of a group go "
		"to user space, or none. %s%s%s%s. Or put the NIC into another slot. Nothing was "
		"changed",
		d->address, d->iommu_group, h.list,
		h.nics[0] != '\0' ? "Bind them together: sudo dpfetch nic bind " : "",
		h.nics[0] != '\0' ? d->address : "", h.nics, others);
}

/* On vfio-pci DPDK gives it addresses that only the IOMMU understands; seen in QEMU: its driver waits for
 * ever for the answer to its first command. */
static int
judge_virtio(const struct nic_system *s, const struct nic_bind_config *cfg,
	const struct nic_device *d, char *message)
{
	if (nic_virtio_way(s, d->address) != NIC_VIRTIO_DIRECT || is_forced(cfg, d))
		return 0;
	return nic_fail(message, -ENOTSUP,
		"%s is a virtio NIC behind an IOMMU that it goes past (no "
		"VIRTIO_F_ACCESS_PLATFORM): on vfio-pci it would take the wrong addresses. Have "
		"the host give it to this machine by the IOMMU (QEMU: "
		"-device virtio-net-pci,iommu_platform=on,disable-legacy=on; libvirt: <driver "
		"iommu='on'/>), or use its interface by name. Nothing was changed. --force %s "
		"takes it all the same",
		d->address, d->address);
}

static int
judge_vfio(const struct nic_system *s, const struct nic_bind_config *cfg,
	const struct nic_device *d, char *message)
{
	int rc;

	if (d->iommu_group >= 0) {
		rc = judge_virtio(s, cfg, d, message);
		return rc != 0 ? rc : judge_group(cfg, d, message);
	}
	if (cfg->no_iommu)
		return 0;
	return nic_fail(message, -ENOTSUP,
		"%s has no IOMMU group: the IOMMU is missing or off, and without it vfio-pci does "
		"not "
		"take a device. Turn on VT-d or AMD-Vi in the firmware and start the kernel with "
		"intel_iommu=on (AMD: no option). Without an IOMMU, which lets the NIC write to "
		"any "
		"memory: --unsafe-no-iommu, or --driver uio_pci_generic. Nothing was changed",
		d->address);
}

/* Does the IOMMU translate what the device says? "DMA", "DMA-FQ"; "identity": it does not. */
static bool
is_translated(const struct nic_system *s, const struct nic_device *d)
{
	char folder[NIC_PATH_MAX], type[32];

	if (d->iommu_group < 0)
		return false;
	nic_system_path(s, folder, "/sys/kernel/iommu_groups/%d", d->iommu_group);
	return nic_sysfs_text(folder, "type", type, sizeof(type)) && strncmp(type, "DMA", 3) == 0;
}

static int
judge_uio(const struct nic_system *s, const struct nic_device *d, char *message)
{
	if (nic_is_locked_down(s))
		return nic_fail(message, -EPERM,
			"%s: the kernel is locked down (Secure Boot), so that user space may not "
			"map a "
			"PCI device as uio_pci_generic lets it; use vfio-pci with an IOMMU, or "
			"turn "
			"Secure Boot off. Nothing was changed",
			d->address);
	if (is_translated(s, d))
		return nic_fail(message, -ENOTSUP,
			"%s is behind an IOMMU, which uio_pci_generic cannot open for it: not one "
			"frame "
			"would get through. Use vfio-pci (leave --driver out), or start the kernel "
			"with "
			"iommu=pt. Nothing was changed",
			d->address);
	return 0;
}

/* Without its driver its virtual functions are nobody's, or gone. */
static int
judge_functions(const struct nic_system *s, const struct nic_bind_config *cfg,
	const struct nic_device *d, char *message)
{
	char folder[NIC_PATH_MAX];
	long functions;

	nic_system_path(s, folder, NIC_SYSFS_PCI "/%s", d->address);
	functions = nic_sysfs_number(folder, "sriov_numvfs", 0);
	if (functions <= 0 || is_forced(cfg, d))
		return 0;
	return nic_fail(message, -EPERM,
		"%s has %ld virtual functions, which would be lost; bind one of those, or remove "
		"them: "
		"echo 0 > /sys/bus/pci/devices/%s/sriov_numvfs. Nothing was changed. --force %s "
		"takes "
		"it all the same",
		d->address, functions, d->address, d->address);
}

/* Bound by somebody; is it of use to us? As nic_judge. */
static int
judge_bound(const struct nic_bind_config *cfg, const struct nic_device *d, char *message)
{
	int rc = strcmp(d->driver, NIC_VFIO) == 0 ? judge_group(cfg, d, message) : 0;

	return rc != 0 ? rc
		       : nic_fail(message, 1, "%s is bound to %s already", d->address, d->driver);
}

int
nic_judge(const struct nic_system *s, const struct nic_bind_config *cfg, const struct nic_device *d,
	char *message)
{
	int rc;

	if (d == NULL)
		return nic_fail(message, -ENODEV,
			"%s is not a network device of this machine; `dpfetch nic list` lists them",
			cfg->address);
	if (nic_driver_is_for_users(d->driver))
		return judge_bound(cfg, d, message);
	if (d->dpdk.bifurcated)
		return nic_fail(message, 1,
			"%s: DPDK's driver %s works beside the kernel's %s; there is nothing to "
			"bind, "
			"and its interface stays",
			d->address, d->dpdk.name, d->driver);
	if (d->dpdk.name[0] == '\0')
		return nic_fail(message, -ENOTSUP,
			"%s (%s): this DPDK has no driver for it, so that binding would be of no "
			"use. "
			"Its interface can be used by name through the kernel's driver, slower",
			d->address, d->model);
	rc = judge_needs(cfg, d, message);
	if (rc == 0)
		rc = judge_functions(s, cfg, d, message);
	if (rc != 0)
		return rc;
	return strcmp(cfg->driver, NIC_VFIO) == 0 ? judge_vfio(s, cfg, d, message)
						  : judge_uio(s, d, message);
}
