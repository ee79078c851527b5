// SPDX-License-Identifier: GPL-2.0-only
/* Guest page tables, segments, CPUID and the first state of a vCPU. */
#include <cpuid.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_test.h"
#include "processor.h"

#define STACK_PAGES	8
#define CPUID_1_ECX_HYPERVISOR	BIT(31)

#define TSS_SELECTOR	0x18		/* two entries */

#define TSS_RSP0_OFFSET	4	/* SDM vol. 3 figure 8-11 */

struct kvm_cpuid2 *kvm_get_supported_cpuid(void)
{
	static struct kvm_cpuid2 *cpuid;
	const int nent = 256;
	int fd;

	if (cpuid)
		return cpuid;
	cpuid = calloc(1, sizeof(*cpuid) + nent * sizeof(cpuid->entries[0]));
	TEST_ERROR_ON(!cpuid, "no memory for CPUID");
	cpuid->nent = nent;
	fd = open_kvm_dev_path_or_exit();
	kvm_ioctl(fd, KVM_GET_SUPPORTED_CPUID, cpuid);
	close(fd);
	return cpuid;
}

const struct kvm_cpuid_entry2 *
get_cpuid_entry(const struct kvm_cpuid2 *cpuid, uint32_t function, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == function &&
		    cpuid->entries[i].index == index)
			return &cpuid->entries[i];
	}
	return NULL;
}

bool guest_has_gbpages(void)
{
	const struct kvm_cpuid_entry2 *e =
		get_cpuid_entry(kvm_get_supported_cpuid(), 0x80000001, 0);

	return e && (e->edx & BIT(26));
}

bool guest_has_la57(void)
{
	const struct kvm_cpuid_entry2 *e = get_cpuid_entry(kvm_get_supported_cpuid(), 7, 0);

	return e && (e->ecx & BIT(16));
}

static int wanted_top_level;

void require_guest_flush_that_syncs(void)
{
	__TEST_REQUIRE(kvm_is_tdp_enabled() || kernel_at_least(5, 13) ||
		       kvm_test_option("known_bugs", 0),
		       "a known bug of this kernel: a flush by KVM does not sync; --set known_bugs=1 makes it a failure");
}

void require_la57(void)
{
	__TEST_REQUIRE(guest_has_la57(), "needs a CPU with LA57: another machine, or lab/run --cpu +la57");
}

void vm_use_top_level(int top_level)
{
	if (top_level == PG_LEVEL_256T)
		require_la57();
	wanted_top_level = top_level;
}

static int choose_top_level(void)
{
	if (wanted_top_level)
		return wanted_top_level;
	return guest_has_la57() && test_random() % 2 ? PG_LEVEL_256T : PG_LEVEL_512G;
}

bool host_may_be_tcg(void)
{
	unsigned int eax, ebx, ecx, edx;

	return host_is_amd() && __get_cpuid(1, &eax, &ebx, &ecx, &edx) &&
	       ecx & CPUID_1_ECX_HYPERVISOR;
}

/*
 * Guest RAM in AMD's HyperTransport range is not reachable: 12G below 1T on
 * families before 17h, 12G below the top of the physical address space since
 * (AMD PPR, "reserved for HyperTransport").
 */
static uint64_t compute_max_gfn(unsigned int pa_bits)
{
	const uint64_t ht_gfns = (12ULL << 30) >> PAGE_SHIFT;
	uint64_t max_gfn = (BIT_ULL(pa_bits) >> PAGE_SHIFT) - 1;

	if (!host_is_amd() || pa_bits < 40)
		return max_gfn;
	if (pa_bits == 40)
		return (BIT_ULL(40) >> PAGE_SHIFT) - ht_gfns - 1;
	return max_gfn - ht_gfns;
}

void vm_arch_init(struct kvm_vm *vm)
{
	const struct kvm_cpuid_entry2 *e =
		get_cpuid_entry(kvm_get_supported_cpuid(), 0x80000008, 0);

	/* SDM: 36 where the leaf is missing. */
	vm->pa_bits = e ? e->eax & 0xff : 36;
	vm->max_gfn = compute_max_gfn(vm->pa_bits);
	vm->top_level = choose_top_level();
}

void vm_set_maxphyaddr(struct kvm_vm *vm, unsigned int maxphyaddr)
{
	TEST_ERROR_ON(vm->nr_vcpus, "the VM has vCPUs already");
	vm->pa_bits = maxphyaddr;
	vm->max_gfn = compute_max_gfn(maxphyaddr);
}

/* What KVM supports, but for the width of physical addresses. */
static void vcpu_cpuid_init(struct kvm_vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = kvm_get_supported_cpuid();
	struct kvm_cpuid_entry2 *e = NULL;
	uint32_t i, eax = 0;

	for (i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == 0x80000008)
			e = &cpuid->entries[i];
	}
	if (e) {
		eax = e->eax;
		e->eax = (eax & ~0xffU) | vcpu->vm->pa_bits;
	}
	vcpu_ioctl(vcpu, KVM_SET_CPUID2, cpuid);
	if (e)
		e->eax = eax;
}

void vcpu_set_maxphyaddr(struct kvm_vcpu *vcpu, unsigned int maxphyaddr)
{
	vcpu->vm->pa_bits = maxphyaddr;
	vcpu->vm->max_gfn = compute_max_gfn(maxphyaddr);
	vcpu_cpuid_init(vcpu);
}

void virt_pgd_alloc(struct kvm_vm *vm)
{
	vm->pgd = vm_phy_pages_alloc(vm, 1);
}

static uint64_t *pte_of(struct kvm_vm *vm, gpa_t table, gva_t gva, int level)
{
	uint64_t *ptes = addr_gpa2hva(vm, table);

	return &ptes[(gva >> PG_LEVEL_SHIFT(level)) & 511];
}

void __virt_pg_map(struct kvm_vm *vm, gva_t gva, gpa_t gpa, int level)
{
	const uint64_t flags = PTE_PRESENT_MASK | PTE_WRITABLE_MASK;
	gpa_t table = vm->pgd;
	uint64_t *pte;
	int l;

	TEST_ERROR_ON((gva | gpa) & (PG_LEVEL_SIZE(level) - 1),
		      "gva 0x%lx or gpa 0x%lx is not aligned to level %d", gva,
		      gpa, level);
	TEST_ERROR_ON(gpa >> vm->pa_bits, "gpa 0x%lx exceeds %u bits", gpa,
		      vm->pa_bits);

	for (l = vm->top_level; l > level; l--) {
		pte = pte_of(vm, table, gva, l);
		TEST_ERROR_ON(*pte & PTE_LARGE_MASK,
			      "gva 0x%lx is mapped at level %d already", gva, l);
		if (!(*pte & PTE_PRESENT_MASK))
			*pte = vm_phy_pages_alloc(vm, 1) | flags;
		table = *pte & PHYSICAL_PAGE_MASK;
	}
	pte = pte_of(vm, table, gva, level);
	TEST_ERROR_ON(*pte & PTE_PRESENT_MASK, "gva 0x%lx is mapped already", gva);
	*pte = gpa | flags | (level > PG_LEVEL_4K ? PTE_LARGE_MASK : 0);
}

void virt_pg_map(struct kvm_vm *vm, gva_t gva, gpa_t gpa)
{
	__virt_pg_map(vm, gva, gpa, PG_LEVEL_4K);
}

void virt_map_level(struct kvm_vm *vm, gva_t gva, gpa_t gpa, uint64_t nr_bytes,
		    int level)
{
	uint64_t off;

	for (off = 0; off < nr_bytes; off += PG_LEVEL_SIZE(level))
		__virt_pg_map(vm, gva + off, gpa + off, level);
}

uint64_t *vm_get_pte(struct kvm_vm *vm, gva_t gva, int *level)
{
	gpa_t table = vm->pgd;
	uint64_t *pte;
	int l;

	for (l = vm->top_level; l >= PG_LEVEL_4K; l--) {
		pte = pte_of(vm, table, gva, l);
		if (!(*pte & PTE_PRESENT_MASK))
			return NULL;
		if (l == PG_LEVEL_4K || (*pte & PTE_LARGE_MASK)) {
			if (level)
				*level = l;
			return pte;
		}
		table = *pte & PHYSICAL_PAGE_MASK;
	}
	return NULL;
}

gpa_t virt_copy_root_to(struct kvm_vm *vm, int level, gpa_t (*new_table)(void *arg), void *arg)
{
	gpa_t root = new_table(arg), table = root;
	uint64_t *old = addr_gpa2hva(vm, vm->pgd), *new;
	int l;

	for (l = vm->top_level; ; l--) {
		new = addr_gpa2hva(vm, table);
		memcpy(new, old, PAGE_SIZE);
		if (l == level)
			return root;
		old = addr_gpa2hva(vm, *old & PHYSICAL_PAGE_MASK);
		table = new_table(arg);
		*new = table | (*new & ~PHYSICAL_PAGE_MASK);
	}
}

static gpa_t one_page(void *vm)
{
	return vm_phy_pages_alloc(vm, 1);
}

gpa_t virt_copy_root(struct kvm_vm *vm, int level)
{
	return virt_copy_root_to(vm, level, one_page, vm);
}

gpa_t vm_entry_gpa(struct kvm_vm *vm, gva_t gva, int level)
{
	gpa_t table = vm->pgd;
	int l;

	for (l = vm->top_level; l > level; l--)
		table = *pte_of(vm, table, gva, l) & PHYSICAL_PAGE_MASK;
	return table + ((gva >> PG_LEVEL_SHIFT(level)) & 511) * sizeof(uint64_t);
}

bool __addr_gva2gpa(struct kvm_vm *vm, gva_t gva, gpa_t *gpa)
{
	uint64_t *pte, mask;
	int level;

	pte = vm_get_pte(vm, gva, &level);
	if (!pte)
		return false;
	mask = PG_LEVEL_SIZE(level) - 1;
	*gpa = (*pte & PHYSICAL_PAGE_MASK & ~mask) | (gva & mask);
	return true;
}

gpa_t addr_gva2gpa(struct kvm_vm *vm, gva_t gva)
{
	gpa_t gpa;

	TEST_ERROR_ON(!__addr_gva2gpa(vm, gva, &gpa),
		      "the guest's page tables do not map gva 0x%lx", gva);
	return gpa;
}

/* Long-mode segments, SDM vol. 3 section 3.4.5; the TSS takes two entries. */
static void gdt_init(struct kvm_vm *vm)
{
	uint64_t *gdt;

	vm->gdt = vm_alloc(vm, PAGE_SIZE);
	gdt = addr_gva2hva(vm, vm->gdt);
	gdt[KERNEL_CS / 8] = 0x00209b0000000000ULL;	/* L, P, code, accessed */
	gdt[KERNEL_DS / 8] = 0x0000930000000000ULL;	/* P, data, accessed */
	gdt[USER_CS / 8] = 0x0020fb0000000000ULL;	/* as above, DPL 3 */
	gdt[USER_DS / 8] = 0x0000f30000000000ULL;
}

void vm_exception_init(struct kvm_vm *vm);

static void segment_set(struct kvm_segment *seg, uint16_t selector, bool code)
{
	*seg = (struct kvm_segment){
		.base = 0,
		.limit = 0xffffffff,
		.selector = selector,
		.type = code ? 0xb : 0x3,
		.present = 1,
		.s = 1,
		.l = code,
		.db = !code,
		.g = 1,
	};
}

uint64_t vm_cr4(const struct kvm_vm *vm)
{
	return X86_CR4_PAE | X86_CR4_OSFXSR |
	       (vm->top_level == PG_LEVEL_256T ? X86_CR4_LA57 : 0);
}

static void vcpu_sregs_init(struct kvm_vcpu *vcpu)
{
	struct kvm_vm *vm = vcpu->vm;
	struct kvm_sregs sregs;

	vcpu_sregs_get(vcpu, &sregs);
	sregs.cr0 = X86_CR0_PE | X86_CR0_NE | X86_CR0_WP | X86_CR0_PG;
	sregs.cr3 = vm->pgd;
	sregs.cr4 = vm_cr4(vm);
	sregs.efer = EFER_LME | EFER_LMA | EFER_NX;
	segment_set(&sregs.cs, KERNEL_CS, true);
	segment_set(&sregs.ds, KERNEL_DS, false);
	segment_set(&sregs.es, KERNEL_DS, false);
	segment_set(&sregs.ss, KERNEL_DS, false);
	segment_set(&sregs.fs, KERNEL_DS, false);
	segment_set(&sregs.gs, KERNEL_DS, false);
	sregs.tr = (struct kvm_segment){
		.selector = TSS_SELECTOR, .type = 0xb, .present = 1,
		.base = vm->gdt + PAGE_SIZE / 2, .limit = 0x67,
	};
	sregs.gdt.base = vm->gdt;
	sregs.gdt.limit = PAGE_SIZE / 2 - 1;
	sregs.idt.base = vm->idt;
	sregs.idt.limit = PAGE_SIZE - 1;
	vcpu_sregs_set(vcpu, &sregs);
}

static void set_user_bits(struct kvm_vm *vm, gpa_t table, int level)
{
	uint64_t *ptes = addr_gpa2hva(vm, table);
	int i;

	for (i = 0; i < 512; i++) {
		if (!(ptes[i] & PTE_PRESENT_MASK))
			continue;
		ptes[i] |= PTE_USER_MASK;
		if (level > PG_LEVEL_4K && !(ptes[i] & PTE_LARGE_MASK))
			set_user_bits(vm, ptes[i] & PHYSICAL_PAGE_MASK, level - 1);
	}
}

void vcpu_enter_user_mode(struct kvm_vcpu *vcpu)
{
	uint64_t rsp0 = vm_alloc(vcpu->vm, PAGE_SIZE) + PAGE_SIZE;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	set_user_bits(vcpu->vm, vcpu->vm->pgd, vcpu->vm->top_level);
	vcpu_sregs_get(vcpu, &sregs);
	memcpy((char *)addr_gva2hva(vcpu->vm, sregs.tr.base) + TSS_RSP0_OFFSET,
	       &rsp0, sizeof(rsp0));
	sregs.cs.selector = USER_CS | 3;
	sregs.ss.selector = USER_DS | 3;
	sregs.cs.dpl = sregs.ss.dpl = 3;
	vcpu_sregs_set(vcpu, &sregs);
	vcpu_regs_get(vcpu, &regs);
	regs.rflags |= X86_EFLAGS_IOPL;
	vcpu_regs_set(vcpu, &regs);
}

void vcpu_sleep_in_faults(struct kvm_vcpu *vcpu)
{
	struct kvm_regs regs;

	vcpu_regs_get(vcpu, &regs);
	regs.rflags &= ~X86_EFLAGS_IF;
	vcpu_regs_set(vcpu, &regs);
}

void vcpu_arch_init(struct kvm_vcpu *vcpu, void *guest_code)
{
	struct kvm_mp_state mp_state = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_vm *vm = vcpu->vm;
	struct kvm_regs regs = {};
	gva_t stack;

	if (!vm->gdt) {
		gdt_init(vm);
		vm_exception_init(vm);
	}
	vcpu_cpuid_init(vcpu);
	vcpu_sregs_init(vcpu);

	stack = vm_alloc(vm, STACK_PAGES * PAGE_SIZE);
	/*
	 * No interrupt comes that a test did not ask for. IF, because Bochs 2.7
	 * holds the host's interrupts back as well from a vCPU that runs without.
	 */
	regs.rflags = X86_EFLAGS_FIXED | X86_EFLAGS_IF;
	regs.rip = (uintptr_t)guest_code;
	/* As after a CALL: RSP + 8 is aligned to 16, with a return address of 0. */
	regs.rsp = stack + STACK_PAGES * PAGE_SIZE - 8;
	vcpu_regs_set(vcpu, &regs);
	vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &mp_state);
}
