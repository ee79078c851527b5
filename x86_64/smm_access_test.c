// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KVM itself reads and writes for a vCPU in system management mode: string
 * instructions between memory and a gap or a port, accesses with one half in a
 * gap. Like the CPU it must use the memslots of the mode that the vCPU is in. So
 * must what the host does to the memory behind a slot reach that mode.
 *
 * What breaks this: an access through the VM's slots where the vCPU's were meant,
 * something remembered of a lookup that is used in the other mode, an MMU notifier
 * that looks at one address space only. smm_memslot_test has what vCPUs access.
 *
 * And who comes back by RSM has the registers, and so the page tables, of before the SMI.
 */
#include <sys/mman.h>

#include "kvm_test_harness.h"
#include "processor.h"
#include "smm.h"

KVM_TEST_SUITE(smm_access_test,
	.needs = { .caps = NEED_CAPS_SMM },
	.fixes = FIXES("54bf36aac520 KVM: x86: use vcpu-specific functions to read/write/translate GFNs",
		       "4bd518f1598d KVM: use separate generations for each address space"));

#define SLOT		1
#define SMM_ONLY_SLOT	2
#define DRIVE_SLOT	3	/* its updates drive the generation */
#define GPA		0xd0000000UL	/* a page in each mode, or in one */
#define SMM_ONLY_GPA	0xd8000000UL	/* memory in SMM, else a gap */
#define GAP		0xe0000000UL	/* always a gap */
#define DRIVE_GPA	0xe8000000UL
#define PORT		0x2000

enum { OUTSIDE, IN_SMM, NR_SPACES };

static const char *const space_names[] = { "outside SMM", "in SMM" };

/* ---- guest ---- */

enum { OP_COPY, OP_OUT, OP_IN, OP_READ, OP_WRITE };

static struct {
	uint64_t op;
	gva_t src, dst;
	uint64_t value;
} guest_order;

static void guest_take_orders(void)
{
	for (;;) {
		gva_t src = guest_order.src, dst = guest_order.dst;
		uint64_t value = 0;

		switch (guest_order.op) {
		case OP_COPY:
			asm volatile("movsq" : "+S"(src), "+D"(dst) : : "memory");
			break;
		case OP_OUT:
			asm volatile("outsl" : "+S"(src) : "d"(PORT) : "memory");
			break;
		case OP_IN:
			asm volatile("insl" : "+D"(dst) : "d"(PORT) : "memory");
			break;
		case OP_READ:
			value = guest_read64(src);
			break;
		case OP_WRITE:
			guest_write64(dst, guest_order.value);
			break;
		}
		GUEST_SYNC(value);
	}
}

/* ---- host ---- */

struct world {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	unsigned int space;
	struct backing_mem mem[NR_SPACES];	/* at GPA */
};

static uint32_t slot_of(unsigned int space, uint32_t slot)
{
	return space == IN_SMM ? SMM_SLOT(slot) : slot;
}

static void world_create(struct world *w)
{
	static const gpa_t pages[] = { GPA, GPA + PAGE_SIZE, SMM_ONLY_GPA, GAP };
	unsigned int i;

	memset(w, 0, sizeof(*w));
	w->vm = vm_create_with_one_vcpu(&w->vcpu, guest_take_orders);
	vm_smm_init(w->vm);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		virt_pg_map(w->vm, pages[i], pages[i]);
	for (i = 0; i < NR_SPACES; i++)
		backing_mem_alloc(&w->mem[i], VM_MEM_SRC_ANONYMOUS, PAGE_SIZE, GPA);
}

static void add_mem(struct world *w, unsigned int space)
{
	vm_mem_region_add_backing(w->vm, &w->mem[space], w->mem[space].hva, GPA,
				  slot_of(space, SLOT), 1, 0);
}

static void enter(struct world *w, unsigned int space)
{
	if (w->space != space)
		vcpu_set_smm(w->vcpu, space == IN_SMM);
	w->space = space;
}

static uint64_t *word_of(struct world *w, unsigned int space, size_t offset)
{
	return (uint64_t *)((char *)w->mem[space].hva + offset);
}

static void order(struct world *w, uint64_t op, gva_t src, gva_t dst, uint64_t value)
{
	guest_order.op = op;
	guest_order.src = src;
	guest_order.dst = dst;
	guest_order.value = value;
	sync_global_to_guest(w->vm, guest_order);
}

static uint64_t finish(struct world *w)
{
	struct ucall uc;

	vcpu_run_to_sync(w->vcpu, &uc);
	return uc.args[0];
}

/* Runs to the guest's access to the port, whose data are returned. */
static void *run_to_port(struct world *w, unsigned int direction)
{
	struct kvm_run *run = w->vcpu->run;

	vcpu_run(w->vcpu);
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != PORT ||
	    run->io.direction != direction)
		vcpu_unexpected_exit(w->vcpu, "the string instruction's access to the port");
	return (char *)run + run->io.data_offset;
}

static void expect_out(struct world *w, gpa_t gpa, uint32_t want)
{
	uint32_t got;

	test_step("OUTS from gpa 0x%lx %s", gpa, space_names[w->space]);
	order(w, OP_OUT, gpa, 0, 0);
	got = *(uint32_t *)run_to_port(w, KVM_EXIT_IO_OUT);
	TEST_ASSERT(got == want, "OUTS from gpa 0x%lx %s: 0x%x, want 0x%x", gpa,
		    space_names[w->space], got, want);
	finish(w);
}

/* The other address space's memory must not have been written to. */
static void check_written(struct world *w, size_t offset, uint64_t want, uint64_t mask,
			  const char *what)
{
	uint64_t got = *word_of(w, w->space, offset) & mask;
	uint64_t other = *word_of(w, !w->space, offset) & mask;

	TEST_ASSERT(got == (want & mask) && !other,
		    "%s to gpa 0x%lx %s: the memory there has 0x%lx, want 0x%lx; that of the other mode 0x%lx, want 0",
		    what, GPA + offset, space_names[w->space], got, want & mask, other);
}

/* Each of them is emulated, and one operand is memory at GPA. */
static void access_all(struct world *w)
{
	uint64_t value = test_random() | BIT(63), half = PAGE_SIZE - 4;

	memset(w->mem[OUTSIDE].hva, 0, PAGE_SIZE);
	memset(w->mem[IN_SMM].hva, 0, PAGE_SIZE);
	*word_of(w, w->space, 0) = value;

	test_step("MOVS from gpa 0x%lx to a gap %s", GPA, space_names[w->space]);
	order(w, OP_COPY, GPA, GAP + 8, 0);
	vcpu_expect_mmio_write(w->vcpu, GAP + 8, 8, value);
	finish(w);
	test_step("MOVS from a gap to gpa 0x%lx %s", GPA + 64, space_names[w->space]);
	order(w, OP_COPY, GAP + 8, GPA + 64, 0);
	vcpu_expect_mmio_read(w->vcpu, GAP + 8, 8, ~value);
	finish(w);
	check_written(w, 64, ~value, ~0UL, "MOVS from a gap");

	expect_out(w, GPA, value);
	test_step("INS to gpa 0x%lx %s", GPA + 128, space_names[w->space]);
	order(w, OP_IN, 0, GPA + 128, 0);
	*(uint32_t *)run_to_port(w, KVM_EXIT_IO_IN) = value >> 32;
	finish(w);
	check_written(w, 128, value >> 32, 0xffffffff, "INS");

	/* Four bytes in memory, four in the gap behind. */
	test_step("a write from gpa 0x%lx into a gap %s", GPA + half, space_names[w->space]);
	order(w, OP_WRITE, 0, GPA + half, value);
	vcpu_expect_mmio_write(w->vcpu, GPA + PAGE_SIZE, 4, value >> 32);
	finish(w);
	check_written(w, half & ~7UL, value << 32, ~0UL << 32, "a write into a gap");
}

KVM_FIXTURE(memory);
FIXTURE_VARIANT(memory) {
	bool in[NR_SPACES];
};

FIXTURE_VARIANT_ADD(memory, in_both) { .in = { true, true } };
FIXTURE_VARIANT_ADD(memory, in_smm_only) { .in = { false, true } };
FIXTURE_VARIANT_ADD(memory, outside_only) { .in = { true, false } };

KVM_TEST_F(memory, is_accessed_by_kvm_as_by_the_guest)
{
	unsigned int round, s;
	struct world w;

	world_create(&w);
	for (s = 0; s < NR_SPACES; s++) {
		if (variant->in[s])
			add_mem(&w, s);
	}
	for (round = 0; round < 6; round++) {
		s = round & 1;
		breadcrumb("round %u: %s", round, space_names[s]);
		enter(&w, s);
		if (variant->in[s]) {
			access_all(&w);
			continue;
		}
		/* Leaves as much behind as there is to remember of a gap. */
		order(&w, OP_READ, GPA, 0, 0);
		vcpu_expect_mmio_read(w.vcpu, GPA, 8, round);
		TEST_ASSERT_EQ(finish(&w), (uint64_t)round);
	}
	enter(&w, OUTSIDE);
	kvm_vm_free(w.vm);
}

/* ---- what is remembered of lookups ---- */

static void toggle_flags(struct world *w, unsigned int space)
{
	uint32_t slot = slot_of(space, DRIVE_SLOT);
	uint32_t flags = vm_get_mem_region(w->vm, slot)->flags;

	vm_mem_region_set_flags(w->vm, slot, flags ^ KVM_MEM_LOG_DIRTY_PAGES);
}

/*
 * SMM's slots have had some updates more than the others, then as many, then
 * fewer: the vCPU takes nothing along from one mode to the other.
 */
KVM_TEST(nothing_is_taken_along_at_any_generation)
{
	struct backing_mem smm_only;
	unsigned int i, s;
	struct world w;

	smm_skip_known_bug();
	world_create(&w);
	backing_mem_alloc(&smm_only, VM_MEM_SRC_ANONYMOUS, PAGE_SIZE, SMM_ONLY_GPA);
	for (s = 0; s < NR_SPACES; s++) {
		add_mem(&w, s);
		*word_of(&w, s, 0) = 0x5a5a0000 + s;
		vm_userspace_mem_region_add(w.vm, VM_MEM_SRC_ANONYMOUS, DRIVE_GPA,
					    slot_of(s, DRIVE_SLOT), 1, 0);
	}
	vm_mem_region_add_backing(w.vm, &smm_only, smm_only.hva, SMM_ONLY_GPA,
				  SMM_SLOT(SMM_ONLY_SLOT), 1, 0);
	*(uint64_t *)smm_only.hva = 0x0dd50dd5;
	for (i = 0; i < 3; i++)
		toggle_flags(&w, IN_SMM);
	for (i = 0; i < 8; i++) {
		breadcrumb("generation %lu outside, %lu in SMM", w.vm->memslot_generation,
			   w.vm->smm_memslot_generation);
		for (s = 0; s < 2 * NR_SPACES; s++) {
			enter(&w, s % NR_SPACES);
			expect_out(&w, GPA, *word_of(&w, w.space, 0));
			if (w.space == IN_SMM) {
				expect_out(&w, SMM_ONLY_GPA, 0x0dd50dd5);
				continue;
			}
			order(&w, OP_READ, SMM_ONLY_GPA, 0, 0);
			vcpu_expect_mmio_read(w.vcpu, SMM_ONLY_GPA, 8, i);
			TEST_ASSERT_EQ(finish(&w), (uint64_t)i);
		}
		toggle_flags(&w, OUTSIDE);
	}
	enter(&w, OUTSIDE);
	kvm_vm_free(w.vm);
	backing_mem_free(&smm_only);
}

/* ---- the host, behind a slot of SMM's ---- */

static uint64_t read_gpa(struct world *w)
{
	order(w, OP_READ, GPA, 0, 0);
	return finish(w);
}

KVM_TEST(memory_that_the_host_gives_up_is_gone)
{
	static const unsigned int spaces[] = { IN_SMM, OUTSIDE, IN_SMM, IN_SMM };
	uint64_t value, got;
	struct world w;
	size_t i;

	world_create(&w);
	add_mem(&w, OUTSIDE);
	add_mem(&w, IN_SMM);
	for (i = 0; i < ARRAY_SIZE(spaces); i++) {
		enter(&w, spaces[i]);
		value = test_random() | 1;
		*word_of(&w, w.space, 0) = value;
		got = read_gpa(&w);
		TEST_ASSERT(got == value,
			    "the host wrote 0x%lx for gpa 0x%lx %s, and the guest reads 0x%lx there",
			    value, GPA, space_names[w.space], got);
		breadcrumb("round %zu: MADV_DONTNEED of memory %s", i, space_names[w.space]);
		TEST_ERROR_ON(madvise(w.mem[w.space].hva, PAGE_SIZE, MADV_DONTNEED),
			      "MADV_DONTNEED");
		got = read_gpa(&w);
		TEST_ASSERT(!got,
			    "the host gave up the memory at gpa 0x%lx %s, and the guest still reads 0x%lx there (it was 0x%lx)",
			    GPA, space_names[w.space], got, value);
	}
	enter(&w, OUTSIDE);
	kvm_vm_free(w.vm);
}

/* ---- there and back ---- */

FIXTURE_VARIANT(rsm) {
	uint64_t cr0_clear, cr3, cr4;
	bool pcid;
};
KVM_FIXTURE(rsm)
FIXTURE_VARIANT_ADD(rsm, plain) { };
FIXTURE_VARIANT_ADD(rsm, without_wp) { .cr0_clear = X86_CR0_WP };
FIXTURE_VARIANT_ADD(rsm, pcid_0) { .cr4 = X86_CR4_PCIDE, .pcid = true };
FIXTURE_VARIANT_ADD(rsm, pcid_5) { .cr3 = 5, .cr4 = X86_CR4_PCIDE, .pcid = true };

/* PCIDs are an error with paging off, where an SMI leads to and RSM comes from. */
KVM_TEST_F(rsm, gives_back_what_the_smi_took)
{
	const struct kvm_cpuid_entry2 *e1 = get_cpuid_entry(kvm_get_supported_cpuid(), 1, 0);
	struct kvm_sregs before, after;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	unsigned int i;

	__TEST_REQUIRE(!variant->pcid || (e1 && e1->ecx & BIT(17)),
		       "needs PCID in the guest's CPUID: a CPU with it");
	vm = vm_create_with_one_vcpu(&vcpu, guest_take_orders);
	vm_smm_init(vm);
	vm_smi_handler_init(vm, SMM_ONLY_SLOT);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, 1, 0);
	virt_pg_map(vm, GPA, GPA);
	guest_order.op = OP_READ;
	guest_order.src = GPA;
	sync_global_to_guest(vm, guest_order);
	vcpu_sregs_get(vcpu, &before);
	before.cr0 &= ~variant->cr0_clear;
	before.cr3 |= variant->cr3;
	before.cr4 |= variant->cr4;
	vcpu_sregs_set(vcpu, &before);
	for (i = 0; i < 6; i++) {
		*(uint64_t *)addr_gpa2hva(vm, GPA) = i;
		vcpu_expect_sync(vcpu, i);
		vcpu_sregs_get(vcpu, &before);
		breadcrumb("SMI %u, and back", i);
		vcpu_smi(vcpu);
		vcpu_smm_order(vcpu, SMM_READ, 0x30000, 0);
		vcpu_smm_finish(vcpu);
		vcpu_smm_order(vcpu, SMM_RSM, 0, 0);
		vcpu_expect_sync(vcpu, i);
		vcpu_sregs_get(vcpu, &after);
		/* A write to CR0 sets ET, KVM_SET_SREGS does not. */
		TEST_ASSERT((after.cr0 | X86_CR0_ET) == (before.cr0 | X86_CR0_ET) &&
			    after.cr3 == before.cr3 && after.cr4 == before.cr4 &&
			    after.efer == before.efer,
			    "CR0 0x%llx, CR3 0x%llx, CR4 0x%llx, EFER 0x%llx after RSM; when the SMI came they were 0x%llx, 0x%llx, 0x%llx, 0x%llx",
			    after.cr0, after.cr3, after.cr4, after.efer, before.cr0,
			    before.cr3, before.cr4, before.efer);
	}
	kvm_vm_free(vm);
}

KVM_TEST_MAIN()
