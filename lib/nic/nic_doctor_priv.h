/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_DOCTOR_PRIV_H
#define NIC_DOCTOR_PRIV_H

#include "nic_doctor.h"

struct nic_doctor {
	const struct nic_system *system;
	const struct nic_doctor_config *cfg;
	nic_finding_fn fn;
	void *ctx;
};

/** One finding; the text as printf makes it. */
void nic_doctor_tell(const struct nic_doctor *d, enum nic_verdict verdict, const char *subject,
	const char *remedy, const char *format, ...) __attribute__((format(printf, 5, 6)));

/** Is the CPU in a list such as "0-3,8"? */
bool nic_doctor_list_has(const char *list, int cpu);

/** Memory: hugepages of the NIC's node, and what may be locked. */
void nic_doctor_examine_memory(const struct nic_doctor *d);

/** What a PCI NIC needs to be handed to user space: IOMMU, module. */
void nic_doctor_examine_iommu(const struct nic_doctor *d);

/** The poll core: its isolation, clock, siblings, interrupts, and what the host takes. */
void nic_doctor_examine_cpu(const struct nic_doctor *d);

/** The NIC that was named: link, placement, offloads, queues. */
void nic_doctor_examine_device(const struct nic_doctor *d);

/** Receive queues that the interface has now; 0: no interface, or not known. */
uint32_t nic_doctor_count_queues(const struct nic_doctor *d);

/** What is known to go wrong with that NIC as it is to be used. */
void nic_doctor_examine_known(const struct nic_doctor *d);

#endif
