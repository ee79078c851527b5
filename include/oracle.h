/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the supervisor of a case watches from outside the case's process: the
 * kernel log, the taint flags, and what a VM leaves behind on the host.
 */
#ifndef SELFTEST_KVM_ORACLE_H
#define SELFTEST_KVM_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- kernel log and taint ---- */

struct kmsg_watch {
	int fd;				/* -1: the log cannot be read */
	unsigned long long taint;
	/* The test has seen to it that the kernel gets no memory, and says so. */
	bool short_of_memory;
};

/* Remembers where the log ends. Also arms WARN_ON_ONCE() again, if it may. */
void kmsg_watch_start(struct kmsg_watch *w);

/*
 * Reads the log since the start into @text ("# " lines) and counts the lines
 * that say the kernel is in trouble. A new taint flag counts too.
 */
unsigned int kmsg_watch_check(struct kmsg_watch *w, char *text, size_t size);
void kmsg_watch_end(struct kmsg_watch *w);

/*
 * True when one /dev/kmsg record ("prefix;message") is the kernel's own word of
 * trouble. Lines that user space wrote never are.
 */
bool kmsg_record_is_splat(const char *record);

/* What the new bits of /proc/sys/kernel/tainted mean for KVM; 0 if nothing. */
unsigned long long taint_new_trouble(unsigned long long before,
				     unsigned long long now);

/* ---- the host as it was ---- */

enum host_counter {
	HOST_VMS,			/* VM directories in debugfs/kvm */
	HOST_MODULE_REFS,		/* of kvm_amd or kvm_intel */
	HOST_HUGE_2M,			/* pages in use */
	HOST_HUGE_1G,
	HOST_SEC_PAGE_TABLES,		/* kB, /proc/meminfo */
	HOST_SLAB_MMU_PAGE,		/* kvm_mmu_page_header objects */
	HOST_SLAB_PTE_LIST,		/* pte_list_desc objects */
	HOST_SLAB_VCPU,			/* kvm_vcpu objects */
	HOST_VMALLOC_KVM,		/* vmalloc areas that KVM's code asked for */
	NR_HOST_COUNTERS,
};

struct host_state {
	int64_t value[NR_HOST_COUNTERS];	/* -1: cannot be read */
};

/* Reads the counters below @root, "" for this host. */
void host_state_read(struct host_state *state, const char *root);

/* That one of its counters that other processes change at any time. */
int64_t host_vms(const char *root);

/*
 * Describes each counter that is above its value in @before; returns how many
 * are. A counter that could not be read either time is not compared.
 */
unsigned int host_state_compare(const struct host_state *before,
				const struct host_state *now, char *text,
				size_t size);

/* What a VM leaves to RCU and workqueues is gone after this time, at the latest. */
#define HOST_SETTLE_SECONDS	3

/*
 * As compare, but reads @now, and gives the host up to @seconds to settle (RCU,
 * workqueues).
 */
unsigned int host_state_check(const struct host_state *before, struct host_state *now,
			      unsigned int seconds, char *text, size_t size);

#endif /* SELFTEST_KVM_ORACLE_H */
