// SPDX-License-Identifier: GPL-2.0-only
/* A VM with an L1, and L1's tables for its L2; see include/nested.h. */
#include <string.h>

#include "nested_internal.h"

#define L2_STACK_PAGES	4

/* ---- what the guest's CPU has ---- */

static bool guest_cpu_has(uint32_t function, bool edx, uint32_t bit)
{
	const struct kvm_cpuid_entry2 *e =
		get_cpuid_entry(kvm_get_supported_cpuid(), function, 0);

	return e && (edx ? e->edx : e->ecx) & bit;
}

/* An MSR of VMX as KVM lets guests have it; 0 where there is none. */
static uint64_t feature_msr(struct kvm_vm *vm, uint32_t index)
{
	union one_msr msr = { .msrs.nmsrs = 1 };

	msr.msrs.entries[0].index = index;
	return __kvm_ioctl(vm->kvm_fd, KVM_GET_MSRS, &msr) == 1 ?
	       msr.msrs.entries[0].data : 0;
}

static bool has_nested_paging(struct kvm_vm *vm)
{
	if (host_is_amd())
		return guest_cpu_has(CPUID_SVM_FEATURES, true, CPUID_SVM_NPT);
	return feature_msr(vm, MSR_IA32_VMX_PROCBASED_CTLS2) >> 32 &
	       SECONDARY_EXEC_ENABLE_EPT;
}

uint64_t nested_vmx_msr(struct nested *n, uint32_t index)
{
	return feature_msr(n->vm, index);
}

bool nested_has_1g_pages(struct nested *n)
{
	if (n->amd || !n->paging)
		return guest_has_gbpages();
	return feature_msr(n->vm, MSR_IA32_VMX_EPT_VPID_CAP) & VMX_EPT_1GB_PAGE_BIT;
}

bool nested_has_ept_ad(struct nested *n)
{
	return feature_msr(n->vm, MSR_IA32_VMX_EPT_VPID_CAP) & VMX_EPT_AD_BIT;
}

void nested_require_vmx(void)
{
	__TEST_REQUIRE(!host_is_amd(), "needs a CPU of Intel, for VMX");
}

void nested_require_secondary(struct nested *n, uint64_t control, const char *name)
{
	__TEST_REQUIRE(nested_vmx_msr(n, MSR_IA32_VMX_PROCBASED_CTLS2) >> 32 & control,
		       "needs %s in the guest's VMX: a CPU that has it, and a KVM that offers it",
		       name);
}

void nested_require_ept_ad(struct nested *n)
{
	__TEST_REQUIRE(nested_has_ept_ad(n),
		       "needs A/D bits in the guest's EPT: kvm_intel.eptad=1 on a CPU that has them");
}

/* ---- L1's tables ---- */

uint64_t nested_addr(const struct nested *n, uint64_t off)
{
	return (n->paging ? NESTED_L2_GPA : NESTED_L2_GVA) + off;
}

gpa_t nested_new_table(struct nested *n)
{
	TEST_ERROR_ON(n->nr_tables == NESTED_TABLES, "no tables left");
	return n->tables + n->nr_tables++ * PAGE_SIZE;
}

uint64_t nested_link(struct nested *n, gpa_t table)
{
	return table | (nested_is_ept(n) ? EPT_READ | EPT_WRITE | EPT_EXEC :
			PTE_PRESENT_MASK | PTE_WRITABLE_MASK | PTE_USER_MASK);
}

/* On NPT all accesses are a user's, APM vol. 2 section 15.25.5. */
uint64_t nested_leaf(struct nested *n, gpa_t gpa, int level, unsigned int rights)
{
	uint64_t large = level > PG_LEVEL_4K ? PTE_LARGE_MASK : 0;

	if (nested_is_ept(n))
		return gpa | large | EPT_WB | (rights & NESTED_R ? EPT_READ : 0) |
		       (rights & NESTED_W ? EPT_WRITE : 0) |
		       (rights & NESTED_X ? EPT_EXEC : 0);
	return gpa | large | PTE_USER_MASK |
	       (rights & NESTED_R ? PTE_PRESENT_MASK : 0) |
	       (rights & NESTED_W ? PTE_WRITABLE_MASK : 0) |
	       (rights & NESTED_X ? 0 : PTE_NX_MASK);
}

static gpa_t entry_gpa(struct nested *n, gpa_t root, uint64_t addr, int level, bool add)
{
	gpa_t gpa = root;
	uint64_t *e;
	int l;

	for (l = nested_top_level(n); ; l--) {
		gpa += ((addr >> PG_LEVEL_SHIFT(l)) & 511) * sizeof(*e);
		if (l == level)
			return gpa;
		e = addr_gpa2hva(n->vm, gpa);
		if (add && !*e)
			*e = nested_link(n, nested_new_table(n));
		TEST_ERROR_ON(!*e, "L1 has no table of level %d for 0x%lx", l - 1, addr);
		gpa = *e & PHYSICAL_PAGE_MASK;
	}
}

static void map(struct nested *n, gpa_t root, uint64_t addr, gpa_t gpa, size_t size,
		int level, unsigned int rights)
{
	size_t done;
	gpa_t e;

	for (done = 0; done < size; done += PG_LEVEL_SIZE(level)) {
		e = entry_gpa(n, root, addr + done, level, true);
		*(uint64_t *)addr_gpa2hva(n->vm, e) =
			nested_leaf(n, gpa + done, level, rights);
	}
}

void __nested_map(struct nested *n, gpa_t root, uint64_t off, gpa_t gpa, size_t size,
		  int level, unsigned int rights)
{
	map(n, root, nested_addr(n, off), gpa, size, level, rights);
}

void nested_map(struct nested *n, uint64_t off, gpa_t gpa, size_t size, int level,
		unsigned int rights)
{
	__nested_map(n, n->root, off, gpa, size, level, rights);
}

gpa_t nested_entry_gpa(struct nested *n, uint64_t off, int level)
{
	return entry_gpa(n, n->root, nested_addr(n, off), level, false);
}

uint64_t *nested_entry(struct nested *n, uint64_t off, int level)
{
	return addr_gpa2hva(n->vm, nested_entry_gpa(n, off, level));
}

static gpa_t new_table(void *n)
{
	return nested_new_table(n);
}

gpa_t nested_new_root(struct nested *n)
{
	struct userspace_mem_region *sys = vm_get_mem_region(n->vm, VM_SYS_SLOT);
	gpa_t root;

	/* L1 edits entries of 512G, too, where they are not in the root. */
	if (!n->paging)
		return virt_copy_root_to(n->vm, PG_LEVEL_512G, new_table, n);
	root = nested_new_table(n);
	map(n, root, sys->gpa, sys->gpa, align_up(sys->size, SZ_2M), PG_LEVEL_2M, NESTED_RWX);
	return root;
}

uint64_t nested_root_value(const struct nested *n, gpa_t root)
{
	return root | (nested_is_ept(n) ? EPTP_WB | EPTP_4_LEVELS : 0);
}

/* ---- the VM ---- */

static void cpu_create(struct nested *n, unsigned int i)
{
	struct nested_cpu *cpu = &n->cpu[i];
	struct kvm_vm *vm = n->vm;
	gva_t box = vm_alloc(vm, sizeof(struct nested_box));

	cpu->n = n;
	cpu->vcpu = vm->vcpus[i];
	cpu->box = addr_gva2hva(vm, box);
	cpu->box->amd = n->amd;
	cpu->box->paging = n->paging;
	/* A hypervisor that shadows its guest's tables has to. */
	cpu->box->takes_pf = !n->paging && test_random() % 2;
	cpu->box->l2_stack = vm_alloc(vm, L2_STACK_PAGES * PAGE_SIZE) +
			     L2_STACK_PAGES * PAGE_SIZE;
	if (n->amd)
		vcpu_alloc_svm(vm, &cpu->box->svm);
	else
		vcpu_alloc_vmx(cpu->vcpu, &cpu->box->vmx);
	vcpu_args_set(cpu->vcpu, 1, box);
}

void nested_create(struct nested *n, unsigned int nr_cpus, bool nested_paging)
{
	struct kvm_vcpu *vcpus[NESTED_MAX_CPUS];
	unsigned int i;

	memset(n, 0, sizeof(*n));
	n->amd = host_is_amd();
	n->paging = nested_paging;
	__TEST_REQUIRE(n->amd ? guest_cpu_has(0x80000001, false, CPUID_SVM) :
				guest_cpu_has(1, false, CPUID_1_ECX_VMX),
		       "needs %s in the guest: %s.nested=1", n->amd ? "SVM" : "VMX",
		       kvm_vendor_module());
	n->vm = vm_create_with_vcpus(nr_cpus, l1_main, vcpus);
	__TEST_REQUIRE(!nested_paging || has_nested_paging(n->vm),
		       "needs nested paging in the guest: %s=1",
		       n->amd ? "kvm_amd.npt" : "kvm_intel.ept");

	n->tables_gva = vm_alloc(n->vm, NESTED_TABLES * PAGE_SIZE);
	n->tables = addr_gva2gpa(n->vm, n->tables_gva);
	virt_map_level(n->vm, NESTED_GPA, NESTED_GPA, NESTED_SIZE, PG_LEVEL_2M);
	if (nested_paging)
		virt_map_level(n->vm, NESTED_L2_GVA, NESTED_L2_GPA, NESTED_SIZE,
			       PG_LEVEL_2M);
	for (i = 0; i < nr_cpus; i++)
		cpu_create(n, i);
	/* Now that slot 0 has all that L2 needs. */
	n->root = nested_new_root(n);
	for (i = 0; i < nr_cpus; i++)
		n->cpu[i].box->root = nested_root_value(n, n->root);
}

struct nested_cpu *nested_create_with_ram(struct nested *n, unsigned int nr_cpus,
					  bool nested_paging)
{
	nested_create(n, nr_cpus, nested_paging);
	vm_userspace_mem_region_add(n->vm, VM_MEM_SRC_ANONYMOUS, NESTED_GPA, NESTED_SLOT,
				    NESTED_RAM_PAGES, 0);
	pattern_fill(addr_gpa2hva(n->vm, NESTED_GPA), NESTED_RAM_PAGES * PAGE_SIZE,
		     NESTED_PATTERN);
	return &n->cpu[0];
}

struct nested_cpu *nested_create_for_vmx(struct nested *n)
{
	struct nested_cpu *cpu;

	nested_require_vmx();
	cpu = nested_create_with_ram(n, 1, true);
	nested_map(n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_4K, NESTED_RWX);
	return cpu;
}

uint64_t nested_ram_leaf(struct nested_cpu *cpu, unsigned int page, unsigned int rights)
{
	return nested_leaf(cpu->n, NESTED_GPA + page * PAGE_SIZE, PG_LEVEL_4K, rights);
}

void nested_free(struct nested *n)
{
	kvm_vm_free(n->vm);
	if (n->moved_from)
		kvm_vm_free(n->moved_from);
}
