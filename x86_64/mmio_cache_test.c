// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MMIO page that a vCPU remembers.
 *
 * So as not to walk page tables again, KVM notes per vCPU the gva, gpa and
 * memslot generation of the last MMIO. That note, and the MMIO SPTEs, must be
 * void as soon as they are not true any more: when a slot is put there or taken
 * away while the vCPU runs, and when the guest's page tables, CR3, or user space
 * by KVM_SET_SREGS, make the gva another page. And it is of that one page only, with
 * the rights that the guest's page tables give at the time of an access.
 *
 * Bugs of this class: MMIO information noted while an update is under way and
 * taken for the new world's, a note that survives a change of roots, a gfn that
 * loses bits on its way through an MMIO SPTE, rights noted that were those of an
 * access without CR0.WP.
 */
#include "kvm_test_harness.h"

KVM_TEST_SUITE(mmio_cache_test,
	.fixes = FIXES(
		"ddfd1730fd82 KVM: x86/mmu: Do not cache MMIO accesses while memslots are in flux",
		"6d58f275e6dc KVM: x86/mmu: clear MMIO cache when unloading the MMU",
		"daa07cbc9ae3 KVM: x86: fix L1TF's MMIO GFN calculation"));

#define WATCHED_SLOT	1

/* Stands for the last page that a guest can address. */
#define TOP		(~0UL)

/* ---- a slot comes and goes under a running vCPU ---- */

#define WATCH_ROUNDS	100
#define WATCHED_GPA	0xe0000000UL
#define MMIO_WORD	0x6d6d696f6d6d696fUL
#define RAM_WORD(round)	(0x7261000000000000UL | (round))

/* Four epochs a round: a gap, in flux, RAM, in flux. */
enum { IS_GAP, BECOMES_RAM, IS_RAM, BECOMES_GAP };
#define EPOCH(round, state)	((round) * 4UL + (state))

static uint64_t guest_epoch;		/* by the host */
static uint64_t guest_seen;		/* last epoch that was looked at */

static uint64_t guest_epoch_now(void)
{
	return *(volatile uint64_t *)&guest_epoch;
}

static void guest_watch(gva_t page)
{
	uint64_t epoch, value;

	for (;;) {
		epoch = guest_epoch_now();
		value = guest_read64(page);
		/* The neighbour is always a gap, and takes the vCPU's cache. */
		GUEST_ASSERT_EQ(guest_read64(page + PAGE_SIZE), MMIO_WORD);
		if (epoch != guest_epoch_now())
			continue;
		if (epoch % 4 == IS_GAP)
			__GUEST_ASSERT(value == MMIO_WORD,
				       "round %lu: the slot is gone, but the page reads 0x%lx",
				       epoch / 4, value);
		if (epoch % 4 == IS_RAM)
			__GUEST_ASSERT(value == RAM_WORD(epoch / 4),
				       "round %lu: the slot is there, but the page reads 0x%lx",
				       epoch / 4, value);
		*(volatile uint64_t *)&guest_seen = epoch;
	}
}

static void answer_watcher(struct kvm_vcpu *vcpu)
{
	struct mmio_access want = { .len = 8, .data = MMIO_WORD };

	while (vcpu_run_unless_stopped(vcpu)) {
		want.gpa = WATCHED_GPA;
		if (vcpu->run->exit_reason == KVM_EXIT_MMIO &&
		    vcpu->run->mmio.phys_addr != want.gpa)
			want.gpa += PAGE_SIZE;
		vcpu_check_mmio(vcpu, &want);
	}
}

/* The next epoch, which the guest must have seen before this returns. */
static void set_epoch(struct kvm_vm *vm, uint64_t epoch, bool wait)
{
	*(volatile uint64_t *)addr_gva2hva(vm, (gva_t)&guest_epoch) = epoch;
	while (wait && read_guest_global(vm, guest_seen) != epoch)
		usleep(100);
}

KVM_TEST(slot_comes_and_goes_under_a_running_vcpu)
{
	struct backing_mem mem;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_watch);
	uint64_t round;

	vcpu_args_set(vcpu, 1, vm_map_gpa(vm, WATCHED_GPA, 2 * PAGE_SIZE));
	backing_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, PAGE_SIZE, WATCHED_GPA);
	set_epoch(vm, EPOCH(0, IS_GAP), false);
	breadcrumb("add and delete a slot while a vCPU reads it");
	vcpu_thread_start(vcpu, answer_watcher);

	for (round = 0; round < test_tries(WATCH_ROUNDS); round++) {
		*(uint64_t *)mem.hva = RAM_WORD(round);
		set_epoch(vm, EPOCH(round, BECOMES_RAM), round & 1);
		vm_mem_region_add_backing(vm, &mem, mem.hva, WATCHED_GPA, WATCHED_SLOT,
					  1, 0);
		set_epoch(vm, EPOCH(round, IS_RAM), true);
		set_epoch(vm, EPOCH(round, BECOMES_GAP), round & 1);
		vm_mem_region_delete(vm, WATCHED_SLOT);
		set_epoch(vm, EPOCH(round + 1, IS_GAP), true);
	}
	vcpu_thread_stop(vcpu);
	kvm_vm_free(vm);
}

/* ---- accesses that KVM makes for the guest ---- */

#define OUTS_PORT	0x2000

/* OUTS is always emulated, so KVM, not the CPU, translates its source. */
static void guest_outs(gva_t src)
{
	asm volatile("outsl" : "+S"(src) : "d"(OUTS_PORT) : "memory");
}

static void expect_outs(struct kvm_vcpu *vcpu, uint32_t want)
{
	struct kvm_run *run = vcpu->run;
	uint32_t got;

	vcpu_run(vcpu);
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != OUTS_PORT)
		vcpu_unexpected_exit(vcpu, "KVM_EXIT_IO of an OUTS from RAM");
	memcpy(&got, (char *)run + run->io.data_offset, sizeof(got));
	TEST_ASSERT(got == want, "OUTS from RAM: 0x%x, want 0x%x", got, want);
}

/* ---- RAM whose gpa differs from the gap's in one bit ---- */

#define MAX_ALIASES	64

static void guest_touch_gap_and_outs(gva_t gap, gva_t other_gap, gva_t ram,
				     uint64_t npages)
{
	uint64_t i;

	for (i = 0; i < npages; i++) {
		/* The second time, it is the MMIO SPTE that tells the gfn. */
		guest_read32(gap);
		guest_read32(other_gap);
		guest_read32(gap);
		guest_outs(ram + i * PAGE_SIZE);
	}
	GUEST_DONE();
}

/* Puts a page of RAM where one bit of @gap's gfn is another; returns how many. */
static uint64_t add_aliases(struct kvm_vm *vm, struct backing_mem *mem, gpa_t gap,
			    gva_t gva, gpa_t *aliases)
{
	uint64_t n = 0;
	unsigned int bit;
	gpa_t gpa;

	for (bit = PAGE_SHIFT; bit < vm->pa_bits; bit++) {
		gpa = gap ^ BIT(bit);
		if (gpa >> PAGE_SHIFT > vm->max_gfn || vm_find_gpa(vm, gpa))
			continue;
		vm_mem_region_add_backing(vm, mem, (char *)mem->hva + n * PAGE_SIZE,
					  gpa, WATCHED_SLOT + n, 1, 0);
		virt_pg_map(vm, gva + n * PAGE_SIZE, gpa);
		aliases[n++] = gpa;
	}
	return n;
}

static void check_aliases(gpa_t gap, gpa_t other_gap)
{
	const gva_t ram = 0x500000000000UL;
	gpa_t aliases[MAX_ALIASES];
	struct backing_mem mem;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_touch_gap_and_outs);
	uint64_t i, npages;
	uint32_t *word;

	backing_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, MAX_ALIASES * PAGE_SIZE, 0);
	if (gap == TOP)
		gap = vm->max_gfn << PAGE_SHIFT;
	npages = add_aliases(vm, &mem, gap, ram, aliases);
	TEST_ASSERT(npages > 16, "only %lu gpas differ from 0x%lx in one bit",
		    npages, gap);
	vcpu_args_set(vcpu, 4, vm_map_gpa(vm, gap, PAGE_SIZE),
		      vm_map_gpa(vm, other_gap, PAGE_SIZE), ram, npages);
	breadcrumb("gap at gpa 0x%lx and RAM at %lu gpas like it", gap, npages);

	for (i = 0; i < npages; i++) {
		word = addr_gpa2hva(vm, aliases[i]);
		*word = test_random();
		vcpu_expect_mmio_read(vcpu, gap, 4, test_random());
		vcpu_expect_mmio_read(vcpu, other_gap, 4, test_random());
		vcpu_expect_mmio_read(vcpu, gap, 4, test_random());
		test_step("OUTS from RAM at gpa 0x%lx, after MMIO at 0x%lx",
			  aliases[i], gap);
		expect_outs(vcpu, *word);
	}
	vcpu_expect_done(vcpu);
	kvm_vm_free(vm);
}

KVM_TEST(ram_at_a_similar_gpa_is_ram)
{
	check_aliases(0xa0000, 0xf0000000);
	check_aliases(0xe5a5a000, 0xf0000000);
	check_aliases(TOP, 0xf0000000);
}

/* ---- a gap whose gpa is the gva of RAM ---- */

static void guest_touch_gap_and_outs_at(gva_t gap, gva_t other_gap, gva_t ram)
{
	uint64_t i;

	for (i = 0; i < 4; i++) {
		if (i & 1)
			guest_read32(other_gap);
		guest_read32(gap);
		guest_outs(ram);
	}
	GUEST_DONE();
}

/*
 * With nested paging, KVM knows the gpa of a gap that the guest touches, and no gva:
 * what it notes must not be taken for the gva that has the same number.
 */
static void check_same_number(gpa_t gap)
{
	const gpa_t other_gap = 0xf0000000;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_touch_gap_and_outs_at);
	const gpa_t mem = vm_phy_pages_alloc(vm, 1);
	uint32_t *word = addr_gpa2hva(vm, mem);
	uint64_t i;

	virt_pg_map(vm, gap, mem);
	vcpu_args_set(vcpu, 3, vm_map_gpa(vm, gap, PAGE_SIZE),
		      vm_map_gpa(vm, other_gap, PAGE_SIZE), gap);
	for (i = 0; i < 4; i++) {
		*word = test_random();
		/* The first fault, then the page that is noted, then the MMIO SPTE. */
		if (i & 1)
			vcpu_expect_mmio_read(vcpu, other_gap, 4, test_random());
		vcpu_expect_mmio_read(vcpu, gap, 4, test_random());
		test_step("OUTS from RAM at gva 0x%lx, after MMIO at gpa 0x%lx", gap, gap);
		expect_outs(vcpu, *word);
	}
	vcpu_expect_done(vcpu);
	kvm_vm_free(vm);
}

KVM_TEST(ram_whose_gva_is_the_gaps_gpa_is_ram)
{
	check_same_number(0xa0000);
	check_same_number(0xe5a5a000);
	check_same_number(0x234567000);
}

/* ---- the same gva, once a gap and once RAM ---- */

#define SAME_GVA	0x600000000000UL

static void guest_same_gva(uint64_t other_cr3)
{
	uint64_t cr3 = read_cr3();

	guest_read32(SAME_GVA);
	GUEST_SYNC(1);		/* now its PTE maps RAM */
	invlpg(SAME_GVA);
	guest_outs(SAME_GVA);
	GUEST_SYNC(2);		/* now a gap */
	invlpg(SAME_GVA);
	guest_read32(SAME_GVA);
	write_cr3(other_cr3);
	guest_outs(SAME_GVA);
	write_cr3(cr3);
	guest_read32(SAME_GVA);
	GUEST_SYNC(3);		/* KVM_SET_SREGS has changed CR3 */
	guest_outs(SAME_GVA);
	write_cr3(cr3);
	guest_read32(SAME_GVA);
	GUEST_DONE();
}

KVM_TEST(cached_mmio_follows_the_guests_translation)
{
	struct kvm_sregs sregs;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_same_gva);
	const gpa_t gap = 0xe0000000, mem = vm_phy_pages_alloc(vm, 1);
	gpa_t pgd = vm->pgd, other = virt_copy_root(vm, PG_LEVEL_512G);
	uint32_t word = test_random();
	uint64_t *pte;

	*(uint32_t *)addr_gpa2hva(vm, mem) = word;
	virt_pg_map(vm, SAME_GVA, gap);
	vm->pgd = other;
	virt_pg_map(vm, SAME_GVA, mem);
	vm->pgd = pgd;
	vcpu_args_set(vcpu, 1, other);
	pte = vm_get_pte(vm, SAME_GVA, NULL);

	vcpu_expect_mmio_read(vcpu, gap, 4, 1);
	vcpu_expect_sync(vcpu, 1);
	*pte ^= gap ^ mem;
	expect_outs(vcpu, word);
	vcpu_expect_sync(vcpu, 2);
	*pte ^= gap ^ mem;
	vcpu_expect_mmio_read(vcpu, gap, 4, 2);
	expect_outs(vcpu, word);
	vcpu_expect_mmio_read(vcpu, gap, 4, 3);
	vcpu_expect_sync(vcpu, 3);
	vcpu_sregs_get(vcpu, &sregs);
	sregs.cr3 = other;
	vcpu_sregs_set(vcpu, &sregs);
	expect_outs(vcpu, word);
	vcpu_expect_mmio_read(vcpu, gap, 4, 4);
	vcpu_expect_done(vcpu);
	kvm_vm_free(vm);
}

/* ---- a gap that the guest may only read ---- */

static void guest_set_wp(bool on)
{
	uint64_t cr0;

	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	cr0 = on ? cr0 | X86_CR0_WP : cr0 & ~X86_CR0_WP;
	asm volatile("mov %0, %%cr0" : : "r"(cr0) : "memory");
}

/* The PTE does not allow it, whatever KVM remembers of the page. */
static void guest_write_faults(gva_t page, uint64_t step)
{
	uint64_t error_code = 0;
	uint8_t vector;

	vector = kvm_asm_safe_ec("movl %[value], (%[page])", error_code,
				 [value] "r"((uint32_t)step), [page] "r"(page));
	__GUEST_ASSERT(vector == PF_VECTOR && error_code == 3,
		       "step %lu: a write to a read-only gap page: vector %lu, error code 0x%lx, want #PF, 0x3",
		       step, (uint64_t)vector, error_code);
}

static void guest_touch_read_only_gap(gva_t page, gva_t other)
{
	uint64_t i;

	for (i = 0; i < 3; i++) {
		guest_write_faults(page, 1);
		guest_read32(page);
		guest_write_faults(page, 2);
		guest_set_wp(false);
		guest_write32(page, i);
		guest_set_wp(true);
		guest_write_faults(page, 3);
		/* Now the MMIO SPTE tells, not the note. */
		guest_read32(other);
		guest_write_faults(page, 4);
		guest_read32(page);
	}
	GUEST_DONE();
}

KVM_TEST(read_only_gap_page_is_not_written_to)
{
	const gpa_t gap = 0xe0000000, other_gap = 0xf0000000;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_touch_read_only_gap);
	gva_t page = vm_map_gpa(vm, gap, PAGE_SIZE);
	uint64_t i;

	/* A page of the user's, which a kernel without WP may write to. */
	*vm_get_pte(vm, page, NULL) ^= PTE_WRITABLE_MASK | PTE_USER_MASK;
	vcpu_args_set(vcpu, 2, page, vm_map_gpa(vm, other_gap, PAGE_SIZE));
	for (i = 0; i < 3; i++) {
		breadcrumb("round %lu: read-only gap page at gpa 0x%lx", i, gap);
		vcpu_expect_mmio_read(vcpu, gap, 4, test_random());
		vcpu_expect_mmio_write(vcpu, gap, 4, i);
		vcpu_expect_mmio_read(vcpu, other_gap, 4, test_random());
		vcpu_expect_mmio_read(vcpu, gap, 4, test_random());
	}
	vcpu_expect_done(vcpu);
	kvm_vm_free(vm);
}

KVM_TEST_MAIN()
