// SPDX-License-Identifier: GPL-2.0-only
/* Life and death of VMs and vCPUs, and running them. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "processor.h"
#include "test_internal.h"
#include "ucall.h"

/* Beyond the ELF image: page tables, stacks, and what tests allocate. */
#define SYS_EXTRA_PAGES		1024

int open_kvm_dev_path_or_exit(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	TEST_ERROR_ON(fd < 0, "cannot open /dev/kvm");
	return fd;
}

int kvm_check_cap(long cap)
{
	int fd = open_kvm_dev_path_or_exit();
	int ret = ioctl(fd, KVM_CHECK_EXTENSION, cap);

	close(fd);
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, ret >= 0,
			   "KVM_CHECK_EXTENSION(%ld) returned %d", cap, ret);
	return ret;
}

const char *kvm_vendor_module(void)
{
	if (!access("/sys/module/kvm_amd", F_OK))
		return "kvm_amd";
	if (!access("/sys/module/kvm_intel", F_OK))
		return "kvm_intel";
	return NULL;
}

static bool read_module_param(const char *module, const char *param, char *buf,
			      size_t size)
{
	char path[128];
	bool ok;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, param);
	f = fopen(path, "r");
	if (!f)
		return false;
	ok = fgets(buf, size, f);
	fclose(f);
	return ok;
}

int kvm_get_module_param_integer(const char *module, const char *param)
{
	char buf[32];

	return read_module_param(module, param, buf, sizeof(buf)) ?
	       (int)strtol(buf, NULL, 0) : -1;
}

bool kvm_get_module_param_bool(const char *module, const char *param)
{
	char buf[32];

	return read_module_param(module, param, buf, sizeof(buf)) &&
	       (buf[0] == 'Y' || buf[0] == '1');
}

bool kvm_is_tdp_enabled(void)
{
	return host_is_amd() ? kvm_get_module_param_bool("kvm_amd", "npt") :
			       kvm_get_module_param_bool("kvm_intel", "ept");
}

void kvm_ioctl_failed(const char *file, int line, const char *name, int ret)
{
	test_fail(ORACLE_ERRNO, file, line, NULL, "%s returned %d, errno %d (%s)",
		  name, ret, errno, strerror(errno));
}

int vm_check_cap(struct kvm_vm *vm, long cap)
{
	return __vm_ioctl(vm, KVM_CHECK_EXTENSION, cap);
}

int __vm_enable_cap(struct kvm_vm *vm, uint32_t cap, uint64_t arg0)
{
	struct kvm_enable_cap enable = { .cap = cap, .args = { arg0 } };

	return __vm_ioctl(vm, KVM_ENABLE_CAP, &enable);
}

void vm_enable_cap(struct kvm_vm *vm, uint32_t cap, uint64_t arg0)
{
	int ret = __vm_enable_cap(vm, cap, arg0);

	TEST_ASSERT_ORACLE(ORACLE_ERRNO, !ret,
			   "KVM_ENABLE_CAP(%u, 0x%lx) returned %d", cap, arg0, ret);
}

bool kvm_has_vm_type(unsigned long type)
{
	return kvm_check_cap(KVM_CAP_VM_TYPES) & BIT(type);
}

struct kvm_vm *vm_create_barebones(void)
{
	return vm_create_barebones_type(KVM_X86_DEFAULT_VM);
}

struct kvm_vm *vm_create_barebones_type(unsigned long type)
{
	struct kvm_vm *vm = calloc(1, sizeof(*vm));

	TEST_ERROR_ON(!vm, "no memory for struct kvm_vm");
	vm->stats_fd = -1;
	vm->smm_memslot_generation = 1;
	vm->kvm_fd = open_kvm_dev_path_or_exit();
	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, type);
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, vm->fd >= 0,
			   "KVM_CREATE_VM(%lu) returned %d", type, vm->fd);
	fcntl(vm->fd, F_SETFD, FD_CLOEXEC);
	if (vm_check_cap(vm, KVM_CAP_BINARY_STATS_FD) > 0)
		vm->stats_fd = __vm_ioctl(vm, KVM_GET_STATS_FD, NULL);
	vm->next = case_context.vms;
	case_context.vms = vm;
	return vm;
}

static struct kvm_vm *vm_create_type(unsigned long type, uint32_t nr_vcpus)
{
	struct kvm_vm *vm = vm_create_barebones_type(type);

	vm_ioctl(vm, KVM_CREATE_IRQCHIP, 0);
	vm_arch_init(vm);
	/* A memfd tells whether KVM has let go of all pages that it had mapped itself. */
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_SHMEM, VM_SYS_GPA,
				    VM_SYS_SLOT, vm_elf_pages() +
				    SYS_EXTRA_PAGES + nr_vcpus * 16, 0);
	vm->next_sys_gpa = VM_SYS_GPA;
	vm->next_gva = 0x7f0000000000UL;
	virt_pgd_alloc(vm);
	vm_elf_load(vm);
	return vm;
}

struct kvm_vm *vm_create(uint32_t nr_vcpus)
{
	return vm_create_type(KVM_X86_DEFAULT_VM, nr_vcpus);
}

struct kvm_vm *vm_create_type_with_vcpus(unsigned long type, uint32_t nr_vcpus,
					 void *guest_code, struct kvm_vcpu *vcpus[])
{
	struct kvm_vm *vm = vm_create_type(type, nr_vcpus);
	uint32_t i;

	for (i = 0; i < nr_vcpus; i++)
		vcpus[i] = vm_vcpu_add(vm, i, guest_code);
	return vm;
}

struct kvm_vm *vm_create_with_vcpus(uint32_t nr_vcpus, void *guest_code,
				    struct kvm_vcpu *vcpus[])
{
	return vm_create_type_with_vcpus(KVM_X86_DEFAULT_VM, nr_vcpus, guest_code,
					 vcpus);
}

struct kvm_vm *vm_create_with_one_vcpu(struct kvm_vcpu **vcpu, void *guest_code)
{
	return vm_create_with_vcpus(1, guest_code, vcpu);
}

struct kvm_vcpu *vm_vcpu_add(struct kvm_vm *vm, uint32_t vcpu_id, void *guest_code)
{
	struct kvm_vcpu *vcpu = calloc(1, sizeof(*vcpu));
	int size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, NULL);

	TEST_ERROR_ON(!vcpu || vm->nr_vcpus == KVM_MAX_TEST_VCPUS,
		      "no room for another vCPU");
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, size >= (int)sizeof(*vcpu->run),
			   "KVM_GET_VCPU_MMAP_SIZE returned %d", size);
	vcpu->id = vcpu_id;
	vcpu->vm = vm;
	vcpu->fd = __vm_ioctl(vm, KVM_CREATE_VCPU, (unsigned long)vcpu_id);
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, vcpu->fd >= 0,
			   "KVM_CREATE_VCPU(%u) returned %d", vcpu_id, vcpu->fd);
	fcntl(vcpu->fd, F_SETFD, FD_CLOEXEC);
	vcpu->run_size = size;
	vcpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, vcpu->run != MAP_FAILED,
			   "cannot map vCPU %u's kvm_run", vcpu_id);
	vm->vcpus[vm->nr_vcpus++] = vcpu;
	if (guest_code)
		vcpu_arch_init(vcpu, guest_code);
	return vcpu;
}

void kvm_vm_release(struct kvm_vm *vm)
{
	uint32_t i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		struct kvm_vcpu *vcpu = vm->vcpus[i];

		if (vcpu->fd < 0)
			continue;
		munmap(vcpu->run, vcpu->run_size);
		close(vcpu->fd);
		vcpu->run = NULL;
		vcpu->fd = -1;
	}
	if (vm->stats_fd >= 0)
		close(vm->stats_fd);
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->kvm_fd >= 0)
		close(vm->kvm_fd);
	vm->stats_fd = vm->fd = vm->kvm_fd = -1;
}

static void check_nothing_mapped(struct kvm_vm *vm)
{
	int64_t value;
	size_t i;

	for (i = 0; i < NR_MAPPING_STATS; i++) {
		/* A table that was a large page once counts while it is there. */
		if (vm->keeps_tables && !strcmp(mapping_stats[i], "nx_lpage_splits"))
			continue;
		if (vm_read_stat(vm, mapping_stats[i], &value))
			TEST_ASSERT_ORACLE(ORACLE_STATS, !value,
					   "all memslots are deleted, but %s is %ld",
					   mapping_stats[i], value);
	}
}

void kvm_vm_free(struct kvm_vm *vm)
{
	struct kvm_vm **link = &case_context.vms;
	struct userspace_mem_region *region;
	uint32_t i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		if (vm->vcpus[i]->running)
			vcpu_thread_stop(vm->vcpus[i]);
	}
	vm_check_stats(vm);
	vm_check_constants(vm);
	if (vm->fd >= 0) {
		while (vm->regions)
			vm_mem_region_delete(vm, vm->regions->slot);
		check_nothing_mapped(vm);
	}
	kvm_vm_release(vm);

	while ((region = vm->regions)) {
		vm->regions = region->next;
		if (region->owns_mem)
			backing_mem_free(&region->mem);
		free(region);
	}
	for (i = 0; i < vm->nr_vcpus; i++)
		free(vm->vcpus[i]);
	while (*link && *link != vm)
		link = &(*link)->next;
	if (*link)
		*link = vm->next;
	free(vm);
}

void vm_for_each_live(void (*fn)(struct kvm_vm *vm, void *arg), void *arg)
{
	struct kvm_vm *vm;

	for (vm = case_context.vms; vm; vm = vm->next)
		fn(vm, arg);
}

int __vcpu_run(struct kvm_vcpu *vcpu)
{
	current_vcpu = vcpu;
	return __vcpu_ioctl(vcpu, KVM_RUN, NULL);
}

int _vcpu_run(struct kvm_vcpu *vcpu)
{
	int ret;

	do {
		ret = __vcpu_run(vcpu);
	} while (ret < 0 && errno == EINTR && !vcpu->run->immediate_exit);
	return ret;
}

/* The exit and errno oracle: what no case may see unless it asked for it. */
void vcpu_check_exit(struct kvm_vcpu *vcpu, int ret)
{
	char exit[512];
	struct ucall uc;

	if (ret < 0) {
		int err = errno;

		/* An error without an exit leaves the last one's reason. */
		vcpu_describe_exit(vcpu, exit, sizeof(exit));
		test_fail(ORACLE_ERRNO, __FILE__, __LINE__, NULL,
			  "KVM_RUN of vCPU %u returned %d, errno %d (%s)%s%s",
			  vcpu->id, ret, err, strerror(err),
			  vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT ? ", " : "",
			  vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT ? exit : "");
	}

	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_UNKNOWN:
	case KVM_EXIT_SHUTDOWN:
	case KVM_EXIT_FAIL_ENTRY:
	case KVM_EXIT_INTERNAL_ERROR:
		vcpu_describe_exit(vcpu, exit, sizeof(exit));
		test_fail(ORACLE_EXIT, __FILE__, __LINE__, NULL, "vCPU %u: %s%s",
			  vcpu->id, exit,
			  vcpu->run->exit_reason == KVM_EXIT_SHUTDOWN ?
			  " (triple fault)" : "");
	case KVM_EXIT_IO:
		get_ucall(vcpu, &uc);
		if (uc.cmd == UCALL_ABORT || uc.cmd == UCALL_UNHANDLED)
			report_guest_abort(vcpu, &uc);
	}
}

void vcpu_run(struct kvm_vcpu *vcpu)
{
	vcpu_check_exit(vcpu, _vcpu_run(vcpu));
}

bool vcpu_run_unless_stopped(struct kvm_vcpu *vcpu)
{
	int ret;

	do {
		if (vcpu->stop)
			return false;
		ret = __vcpu_run(vcpu);
	} while (ret < 0 && errno == EINTR);
	vcpu_check_exit(vcpu, ret);
	return true;
}

void vcpu_expect_memory_fault(struct kvm_vcpu *vcpu, gpa_t gpa, uint64_t flags)
{
	const struct kvm_memory_fault_exit *fault = kvm_run_memory_fault(vcpu->run);
	const gpa_t page = align_down(gpa, PAGE_SIZE);
	char where[256];
	int ret;

	ret = _vcpu_run(vcpu);
	vm_describe_gpa(vcpu->vm, gpa, where, sizeof(where));
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, ret < 0 && errno == EFAULT,
			   "an access to gpa 0x%lx in %s must fail with EFAULT, but KVM_RUN returned %d, errno %d (%s), %s",
			   gpa, where, ret, ret < 0 ? errno : 0,
			   ret < 0 ? strerror(errno) : "none",
			   exit_reason_str(vcpu->run->exit_reason));
	TEST_ASSERT_ORACLE(ORACLE_EXIT,
			   vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT,
			   "an access to gpa 0x%lx in %s: want KVM_EXIT_MEMORY_FAULT, got %s",
			   gpa, where, exit_reason_str(vcpu->run->exit_reason));
	TEST_ASSERT_ORACLE(ORACLE_EXIT, fault->gpa == page &&
			   fault->size == PAGE_SIZE && fault->flags == flags,
			   "KVM_EXIT_MEMORY_FAULT for gpa 0x%lx in %s: want gpa 0x%lx size 0x%lx flags 0x%lx, got gpa 0x%llx size 0x%llx flags 0x%llx",
			   gpa, where, page, PAGE_SIZE, flags, fault->gpa, fault->size,
			   fault->flags);
}

void vcpu_run_complete_io(struct kvm_vcpu *vcpu)
{
	int ret;

	vcpu->run->immediate_exit = 1;
	ret = __vcpu_run(vcpu);
	vcpu->run->immediate_exit = 0;
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, ret < 0 && errno == EINTR,
			   "KVM_RUN with immediate_exit: want EINTR, got %d, errno %d (%s)",
			   ret, errno, strerror(errno));
}

void vcpu_unexpected_exit(struct kvm_vcpu *vcpu, const char *want)
{
	char exit[512];

	vcpu_describe_exit(vcpu, exit, sizeof(exit));
	test_fail(ORACLE_EXIT, __FILE__, __LINE__, NULL,
		  "vCPU %u: want %s, got %s", vcpu->id, want, exit);
}

void vcpu_run_to_sync(struct kvm_vcpu *vcpu, struct ucall *uc)
{
	vcpu_run(vcpu);
	if (get_ucall(vcpu, uc) != UCALL_SYNC)
		vcpu_unexpected_exit(vcpu, "GUEST_SYNC");
}

void vcpu_expect_sync(struct kvm_vcpu *vcpu, uint64_t stage)
{
	struct ucall uc;

	vcpu_run_to_sync(vcpu, &uc);
	TEST_ASSERT_ORACLE(ORACLE_EXIT, uc.args[0] == stage,
			   "vCPU %u: want GUEST_SYNC(0x%lx), got GUEST_SYNC(0x%lx)",
			   vcpu->id, stage, uc.args[0]);
}

void vcpu_expect_done(struct kvm_vcpu *vcpu)
{
	vcpu_run(vcpu);
	if (get_ucall(vcpu, NULL) != UCALL_DONE)
		vcpu_unexpected_exit(vcpu, "GUEST_DONE");
}

int _vcpu_set_msr(struct kvm_vcpu *vcpu, uint64_t msr_index, uint64_t msr_value)
{
	union {
		struct kvm_msrs head;
		uint8_t bytes[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
	} msrs = { .head.nmsrs = 1 };

	msrs.head.entries[0].index = msr_index;
	msrs.head.entries[0].data = msr_value;
	return __vcpu_ioctl(vcpu, KVM_SET_MSRS, &msrs);
}

void vcpu_args_set(struct kvm_vcpu *vcpu, unsigned int num, ...)
{
	struct kvm_regs regs;
	va_list ap;

	TEST_ERROR_ON(num < 1 || num > 6, "vcpu_args_set() takes 1 to 6 arguments");
	vcpu_regs_get(vcpu, &regs);
	va_start(ap, num);
	regs.rdi = va_arg(ap, uint64_t);
	if (num >= 2)
		regs.rsi = va_arg(ap, uint64_t);
	if (num >= 3)
		regs.rdx = va_arg(ap, uint64_t);
	if (num >= 4)
		regs.rcx = va_arg(ap, uint64_t);
	if (num >= 5)
		regs.r8 = va_arg(ap, uint64_t);
	if (num >= 6)
		regs.r9 = va_arg(ap, uint64_t);
	va_end(ap);
	vcpu_regs_set(vcpu, &regs);
}
