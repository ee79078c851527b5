/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMs, vCPUs and memslots. Functions that Linux's own libkvm has keep its name,
 * argument order and meaning.
 *
 * One convention: foo() asserts success and ends the case when it fails,
 * __foo() returns 0 or -1 with errno set. Sizes are bytes unless the name says
 * npages (4K pages); addresses are gpa (guest physical), gva (guest virtual)
 * and hva (host virtual).
 */
#ifndef SELFTEST_KVM_KVM_UTIL_H
#define SELFTEST_KVM_KVM_UTIL_H

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kvm_compat.h"
#include "test_util.h"

typedef uint64_t gpa_t;
typedef uint64_t gva_t;

#define PAGE_SHIFT		12
#define PAGE_SIZE		4096UL
#define KVM_MAX_TEST_VCPUS	16

/*
 * Slot 0 holds the guest's ELF image, page tables and stacks. It starts at 16M
 * so that everything below is a gap until a test puts memory there.
 */
#define VM_SYS_SLOT		0
#define VM_SYS_GPA		0x1000000UL

struct kvm_vm;
struct ucall;

struct kvm_vcpu {
	uint32_t id;
	int fd;
	struct kvm_vm *vm;
	struct kvm_run *run;
	size_t run_size;
	pthread_t thread;
	bool running;			/* has a thread, see vcpu_thread_start() */
	_Atomic bool stop;
	void *thread_data;		/* of whoever gave it a thread */
};

struct userspace_mem_region {
	uint32_t slot;
	uint32_t flags;
	gpa_t gpa;
	size_t size;
	struct backing_mem mem;
	bool owns_mem;
	int guest_memfd;		/* -1: none; always the caller's */
	uint64_t guest_memfd_offset;
	struct userspace_mem_region *next;
};

/* A part of the guest's image that nobody writes, and what it must hold. */
struct vm_constant {
	gpa_t gpa;
	const void *original;
	size_t size;
};

struct kvm_vm {
	int kvm_fd;
	int fd;				/* -1 after kvm_vm_release() */
	int stats_fd;			/* -1 where the kernel has none */
	unsigned int pa_bits;		/* guest MAXPHYADDR */
	uint64_t max_gfn;		/* highest gfn that a test may use */
	int top_level;			/* of the page tables: PG_LEVEL_512G or _256T */
	gpa_t pgd;
	gpa_t next_sys_gpa;		/* bump allocator in slot 0 */
	gva_t next_gva;
	gva_t gdt, idt;
	uint32_t nr_vcpus;
	struct kvm_vcpu *vcpus[KVM_MAX_TEST_VCPUS];
	struct userspace_mem_region *regions;
	struct vm_constant constants[4];
	uint32_t nr_constants;
	bool keeps_tables;		/* a slot's leafs are zapped, not their tables */
	uint64_t memslot_updates;	/* successful KVM_SET_USER_MEMORY_REGION */
	/*
	 * The memslots' generation as vm_mem_region_*() move it. KVM's own slots
	 * (the APIC page, say) may have moved it by a few steps more.
	 */
	uint64_t memslot_generation;
	uint64_t smm_memslot_generation;	/* slots of SMM's address space */
	struct kvm_vm *next;		/* VMs of this process, for failure dumps */
};

/* ---- /dev/kvm ---- */

int open_kvm_dev_path_or_exit(void);
int kvm_check_cap(long cap);
static inline bool kvm_has_cap(long cap)
{
	return kvm_check_cap(cap) > 0;
}

/* "kvm_amd", "kvm_intel", or NULL when another vendor (or none) is loaded. */
const char *kvm_vendor_module(void);
static inline bool host_is_amd(void)
{
	const char *m = kvm_vendor_module();

	return m && m[4] == 'a';
}

/* Module parameters; -1 / false when the module or the parameter is absent. */
int kvm_get_module_param_integer(const char *module, const char *param);
bool kvm_get_module_param_bool(const char *module, const char *param);
/*
 * Sets a parameter for the rest of the case; whatever becomes of the case, it is
 * then put back. A parameter that cannot be set is a skip. The first time must be
 * before the case has a VM.
 */
void kvm_set_module_param(const char *module, const char *param, const char *value);
/* The same for any file that holds one value, in /sys or /proc. */
void host_set_param(const char *path, const char *value);
bool kvm_is_tdp_enabled(void);		/* npt=1 / ept=1 */

/* ---- ioctls ---- */

void __attribute__((noreturn))
kvm_ioctl_failed(const char *file, int line, const char *name, int ret);

#define __kvm_ioctl(fd, cmd, arg)	ioctl(fd, cmd, arg)
#define __vm_ioctl(vm, cmd, arg)	ioctl((vm)->fd, cmd, arg)
#define __vcpu_ioctl(vcpu, cmd, arg)	ioctl((vcpu)->fd, cmd, arg)

#define __assert_ioctl(call, cmd)						\
do {										\
	int __ret = (call);							\
	if (__ret < 0)								\
		kvm_ioctl_failed(__FILE__, __LINE__, #cmd, __ret);		\
} while (0)

#define kvm_ioctl(fd, cmd, arg)							\
	__assert_ioctl(__kvm_ioctl(fd, cmd, arg), cmd)
#define vm_ioctl(vm, cmd, arg)							\
	__assert_ioctl(__vm_ioctl(vm, cmd, arg), cmd)
#define vcpu_ioctl(vcpu, cmd, arg)						\
	__assert_ioctl(__vcpu_ioctl(vcpu, cmd, arg), cmd)

/* A negative call that must fail with exactly this errno. */
#define TEST_ASSERT_ERRNO(call, err, fmt, ...)					\
do {										\
	int __r = (call);							\
	int __e = errno;							\
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, __r < 0 && __e == (err),		\
			   fmt ": want errno %d (%s), got %s %d (%s)",		\
			   ##__VA_ARGS__, err, strerror(err),			\
			   __r < 0 ? "errno" : "success,", __r < 0 ? __e : __r,	\
			   __r < 0 ? strerror(__e) : "");			\
} while (0)

int vm_check_cap(struct kvm_vm *vm, long cap);
int __vm_enable_cap(struct kvm_vm *vm, uint32_t cap, uint64_t arg0);
void vm_enable_cap(struct kvm_vm *vm, uint32_t cap, uint64_t arg0);

/* ---- life of a VM ---- */

/* No irqchip, no memory, no vCPU. */
struct kvm_vm *vm_create_barebones(void);
struct kvm_vm *vm_create_barebones_type(unsigned long type);

/* irqchip, slot 0 with the ELF image, room for @nr_vcpus vCPUs. */
struct kvm_vm *vm_create(uint32_t nr_vcpus);
struct kvm_vm *vm_create_with_vcpus(uint32_t nr_vcpus, void *guest_code,
				    struct kvm_vcpu *vcpus[]);
struct kvm_vm *vm_create_with_one_vcpu(struct kvm_vcpu **vcpu, void *guest_code);

/* As above, for a VM that is not KVM_X86_DEFAULT_VM. */
bool kvm_has_vm_type(unsigned long type);
struct kvm_vm *vm_create_type_with_vcpus(unsigned long type, uint32_t nr_vcpus,
					 void *guest_code, struct kvm_vcpu *vcpus[]);

/* Closes the VM's and its vCPUs' fds; memory stays mapped. */
void kvm_vm_release(struct kvm_vm *vm);

/*
 * Deletes all memslots, checks that the statistics say nothing is mapped, and
 * gives everything back.
 */
void kvm_vm_free(struct kvm_vm *vm);

/* Calls @fn for every VM of this process that has not been freed. */
void vm_for_each_live(void (*fn)(struct kvm_vm *vm, void *arg), void *arg);

/* ---- memslots ---- */

int __vm_set_user_memory_region(struct kvm_vm *vm, uint32_t slot, uint32_t flags,
				gpa_t gpa, uint64_t size, void *hva);
void vm_set_user_memory_region(struct kvm_vm *vm, uint32_t slot, uint32_t flags,
			       gpa_t gpa, uint64_t size, void *hva);

/* Allocates backing congruent with @gpa, and owns it until the slot is deleted. */
void vm_userspace_mem_region_add(struct kvm_vm *vm,
				 enum vm_mem_backing_src_type src_type,
				 gpa_t gpa, uint32_t slot, uint64_t npages,
				 uint32_t flags);

/* Uses the caller's memory from @hva on; @mem stays the caller's. */
void vm_mem_region_add_backing(struct kvm_vm *vm, const struct backing_mem *mem,
			       void *hva, gpa_t gpa, uint32_t slot,
			       uint64_t npages, uint32_t flags);
/*
 * With [@guest_memfd_offset, + size) of @guest_memfd, which stays the caller's,
 * and the memory of @src_type for what is shared. VM_MEM_SRC_GUEST_MEMFD is the
 * same range of @guest_memfd, mapped.
 */
void vm_mem_add(struct kvm_vm *vm, enum vm_mem_backing_src_type src_type, gpa_t gpa,
		uint32_t slot, uint64_t npages, uint32_t flags, int guest_memfd,
		uint64_t guest_memfd_offset);
/* The same with the caller's memory, as of vm_mem_region_add_backing(). */
void vm_mem_add_backing(struct kvm_vm *vm, const struct backing_mem *mem, void *hva,
			gpa_t gpa, uint32_t slot, uint64_t npages, uint32_t flags,
			int guest_memfd, uint64_t guest_memfd_offset);
void vm_mem_region_set_flags(struct kvm_vm *vm, uint32_t slot, uint32_t flags);
void vm_mem_region_move(struct kvm_vm *vm, uint32_t slot, gpa_t new_gpa);
void vm_mem_region_delete(struct kvm_vm *vm, uint32_t slot);

/* Deletes and adds again, same gpa and memory: two memslot updates. */
void vm_mem_region_reload(struct kvm_vm *vm, uint32_t slot);

/* NULL where there is none; by gpa, SMM's slots (see smm.h) are not looked at. */
struct userspace_mem_region *vm_get_mem_region(struct kvm_vm *vm, uint32_t slot);
struct userspace_mem_region *vm_find_gpa(struct kvm_vm *vm, gpa_t gpa);

/*
 * "slot 3 [gpa 0x..-0x..) hugetlb-2M flags 0x1" or "gap between ... and ...", and
 * the same of SMM's address space where that has slots.
 */
const char *vm_describe_gpa(struct kvm_vm *vm, gpa_t gpa, char *buf, size_t size);

/* ---- guest_memfd and memory attributes ---- */

int __vm_create_guest_memfd(struct kvm_vm *vm, uint64_t size, uint64_t flags);
int vm_create_guest_memfd(struct kvm_vm *vm, uint64_t size, uint64_t flags);

int __vm_set_user_memory_region2(struct kvm_vm *vm, uint32_t slot, uint32_t flags,
				 gpa_t gpa, uint64_t size, void *hva,
				 uint32_t guest_memfd, uint64_t guest_memfd_offset);
void vm_set_user_memory_region2(struct kvm_vm *vm, uint32_t slot, uint32_t flags,
				gpa_t gpa, uint64_t size, void *hva,
				uint32_t guest_memfd, uint64_t guest_memfd_offset);

int __vm_set_memory_attributes(struct kvm_vm *vm, gpa_t gpa, uint64_t size,
			       uint64_t attributes);
void vm_set_memory_attributes(struct kvm_vm *vm, gpa_t gpa, uint64_t size,
			      uint64_t attributes);
static inline void vm_mem_set_private(struct kvm_vm *vm, gpa_t gpa, uint64_t size)
{
	vm_set_memory_attributes(vm, gpa, size, KVM_MEMORY_ATTRIBUTE_PRIVATE);
}

static inline void vm_mem_set_shared(struct kvm_vm *vm, gpa_t gpa, uint64_t size)
{
	vm_set_memory_attributes(vm, gpa, size, 0);
}

/* Of the guest_memfd behind [gpa, gpa + size), which may be several slots. */
void vm_guest_mem_punch_hole(struct kvm_vm *vm, gpa_t gpa, uint64_t size);

void kvm_vm_get_dirty_log(struct kvm_vm *vm, int slot, void *log);

/* ---- addresses ---- */

/* Where gpas end that a test may use and can map one to one, at canonical addresses. */
static inline gpa_t vm_identity_end(const struct kvm_vm *vm)
{
	const gpa_t end = (vm->max_gfn + 1) << PAGE_SHIFT;

	return end < BIT(47) ? end : BIT(47);
}

void *addr_gpa2hva(struct kvm_vm *vm, gpa_t gpa);
void *addr_gva2hva(struct kvm_vm *vm, gva_t gva);
gpa_t addr_hva2gpa(struct kvm_vm *vm, void *hva);
gpa_t addr_gva2gpa(struct kvm_vm *vm, gva_t gva);
/* As addr_gva2gpa(), but false where the guest's page tables map nothing. */
bool __addr_gva2gpa(struct kvm_vm *vm, gva_t gva, gpa_t *gpa);

/* Zeroed pages of slot 0. */
gpa_t vm_phy_pages_alloc(struct kvm_vm *vm, size_t num);
gva_t vm_alloc(struct kvm_vm *vm, size_t size);
/* Maps [gpa, gpa + size) with 4K leaves at a gva of the library's choice. */
gva_t vm_map_gpa(struct kvm_vm *vm, gpa_t gpa, size_t size);

void virt_pg_map(struct kvm_vm *vm, gva_t gva, gpa_t gpa);
void virt_map(struct kvm_vm *vm, gva_t gva, gpa_t gpa, unsigned int npages);

#define sync_global_to_guest(vm, g)						\
	memcpy(addr_gva2hva(vm, (gva_t)&(g)), &(g), sizeof(g))
#define sync_global_from_guest(vm, g)						\
	memcpy(&(g), addr_gva2hva(vm, (gva_t)&(g)), sizeof(g))
#define write_guest_global(vm, g, val)						\
do {										\
	__typeof__(g) __val = (val);						\
	memcpy(addr_gva2hva(vm, (gva_t)&(g)), &__val, sizeof(g));		\
} while (0)
/* Reads a guest's global that another thread's guest may be writing. */
#define read_guest_global(vm, g)						\
	(*(volatile __typeof__(g) *)addr_gva2hva(vm, (gva_t)&(g)))

/* ---- vCPUs ---- */

struct kvm_vcpu *vm_vcpu_add(struct kvm_vm *vm, uint32_t vcpu_id,
			     void *guest_code);
void vcpu_args_set(struct kvm_vcpu *vcpu, unsigned int num, ...);

/*
 * vcpu_run() runs to the next exit and fails the case on a negative KVM_RUN,
 * KVM_EXIT_INTERNAL_ERROR, SHUTDOWN, FAIL_ENTRY or UNKNOWN, and on a guest
 * assertion. _vcpu_run() only retries EINTR and returns KVM_RUN's result.
 */
void vcpu_run(struct kvm_vcpu *vcpu);
int _vcpu_run(struct kvm_vcpu *vcpu);
int __vcpu_run(struct kvm_vcpu *vcpu);

/*
 * The run must end with EFAULT and KVM_EXIT_MEMORY_FAULT for the page of @gpa, with
 * exactly these flags. The guest makes the access again when it runs again.
 */
void vcpu_expect_memory_fault(struct kvm_vcpu *vcpu, gpa_t gpa, uint64_t flags);

/*
 * KVM_PRE_FAULT_MEMORY once; on success @range is what is left to be done, and is
 * not to be looked at otherwise.
 */
static inline int __vcpu_pre_fault_memory(struct kvm_vcpu *vcpu,
					  struct kvm_pre_fault_memory *range)
{
	return __vcpu_ioctl(vcpu, KVM_PRE_FAULT_MEMORY, range);
}

/* What vcpu_run() checks, for KVM_RUN's result @ret and the exit it left. */
void vcpu_check_exit(struct kvm_vcpu *vcpu, int ret);

/*
 * KVM_RUN for at most @ms milliseconds (the multiplier of deadlines applies);
 * then a signal ends it with EINTR. Only in the case's main thread.
 */
int __vcpu_run_for(struct kvm_vcpu *vcpu, unsigned int ms);

/* Finishes a pending MMIO or port access without running the guest. */
void vcpu_run_complete_io(struct kvm_vcpu *vcpu);

/* Fails the case: "want X, got Y", with everything known about the exit. */
void __attribute__((noreturn)) vcpu_unexpected_exit(struct kvm_vcpu *vcpu,
						    const char *want);

/* Runs until the guest's next ucall; it must be this one. */
void vcpu_expect_sync(struct kvm_vcpu *vcpu, uint64_t stage);
void vcpu_expect_done(struct kvm_vcpu *vcpu);
/* Runs until the guest's next ucall, which must be a GUEST_SYNC*(). */
void vcpu_run_to_sync(struct kvm_vcpu *vcpu, struct ucall *uc);

static inline void vcpu_regs_get(struct kvm_vcpu *vcpu, struct kvm_regs *regs)
{
	vcpu_ioctl(vcpu, KVM_GET_REGS, regs);
}

static inline void vcpu_regs_set(struct kvm_vcpu *vcpu, struct kvm_regs *regs)
{
	vcpu_ioctl(vcpu, KVM_SET_REGS, regs);
}

static inline void vcpu_sregs_get(struct kvm_vcpu *vcpu, struct kvm_sregs *sregs)
{
	vcpu_ioctl(vcpu, KVM_GET_SREGS, sregs);
}

static inline void vcpu_sregs_set(struct kvm_vcpu *vcpu, struct kvm_sregs *sregs)
{
	vcpu_ioctl(vcpu, KVM_SET_SREGS, sregs);
}

/* KVM_SET_MSRS of one; returns how many were set, 0 where KVM refuses the value. */
int _vcpu_set_msr(struct kvm_vcpu *vcpu, uint64_t msr_index, uint64_t msr_value);

/*
 * A thread of its own for the vCPU, calling @fn. vcpu_thread_stop() sets
 * vcpu->stop, kicks the vCPU out of guest mode until @fn returns, and joins.
 * In @fn, vcpu_run_unless_stopped() is vcpu_run() that returns false when the
 * vCPU was told to stop.
 */
void vcpu_thread_start(struct kvm_vcpu *vcpu, void (*fn)(struct kvm_vcpu *vcpu));
void vcpu_thread_stop(struct kvm_vcpu *vcpu);
/* Waits for @fn to return by itself. */
void vcpu_thread_join(struct kvm_vcpu *vcpu);
bool vcpu_run_unless_stopped(struct kvm_vcpu *vcpu);
/* Forces the vCPU out of guest mode once; KVM_RUN returns EINTR there. */
void vcpu_kick(struct kvm_vcpu *vcpu);

/* ---- statistics ---- */

/*
 * The VM's statistic by KVM's name ("pages_4k"): from the binary statistics fd
 * (5.14 and later) or from debugfs. False where the kernel does not have it.
 */
bool vm_read_stat(struct kvm_vm *vm, const char *name, int64_t *value);
/* As vm_read_stat(), but the kernel must have it. */
int64_t __vm_get_stat(struct kvm_vm *vm, const char *name);
#define vm_get_stat(vm, stat)	__vm_get_stat(vm, #stat)

/* 4K pages that KVM maps, in pages of any size; -1 where it does not count them. */
int64_t vm_mapped_pages(struct kvm_vm *vm);

/*
 * How often KVM has asked all vCPUs to flush their TLBs; -1 where that is not
 * counted (before 5.17), or may be done by other means (on Hyper-V). An emulated
 * CPU flushes at so many occasions that a missing flush hardly ever shows in data.
 */
int64_t vm_tlb_flush_requests(struct kvm_vm *vm);
/* There must have been one since vm_tlb_flush_requests() returned @before. */
void vm_expect_tlb_flush(struct kvm_vm *vm, int64_t before, const char *when);

/* Reads one statistic through any binary statistics fd. */
bool stats_fd_read(int stats_fd, const char *name, int64_t *value);

/* Those that are 0 when KVM maps nothing for a VM; a kernel may lack some. */
#define NR_MAPPING_STATS	5
extern const char *const mapping_stats[NR_MAPPING_STATS];

/* ---- MMIO ---- */

struct mmio_access {
	gpa_t gpa;
	uint32_t len;		/* 1..8 bytes */
	bool is_write;
	uint64_t data;		/* written by the guest, or given to its read */
};

/*
 * Runs the vCPU; its exit must be exactly this access. A read is answered with
 * @data, which the guest gets at the next run. vcpu_check_mmio() checks the exit
 * that has just happened.
 */
void vcpu_expect_mmio(struct kvm_vcpu *vcpu, const struct mmio_access *want);
void vcpu_check_mmio(struct kvm_vcpu *vcpu, const struct mmio_access *want);
#define vcpu_expect_mmio_read(vcpu, a, l, d)					\
	vcpu_expect_mmio(vcpu, &(struct mmio_access){				\
		.gpa = (a), .len = (l), .data = (d) })
#define vcpu_expect_mmio_write(vcpu, a, l, d)					\
	vcpu_expect_mmio(vcpu, &(struct mmio_access){				\
		.gpa = (a), .len = (l), .is_write = true, .data = (d) })

/* ---- failure dumps ---- */

const char *exit_reason_str(uint32_t exit_reason);
const char *internal_error_str(uint32_t suberror);
/* One line: the exit's name and what it carries. */
void vcpu_describe_exit(struct kvm_vcpu *vcpu, char *buf, size_t size);
void vcpu_dump(FILE *stream, struct kvm_vcpu *vcpu);
void vm_dump(FILE *stream, struct kvm_vm *vm);

#endif /* SELFTEST_KVM_KVM_UTIL_H */
