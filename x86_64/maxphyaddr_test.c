// SPDX-License-Identifier: GPL-2.0-only
/*
 * The width of physical addresses: as many bits as the guest's CPUID says. A page
 * table entry with a bit beyond is a fault with the reserved bit in its error code,
 * at each level, for the CPU and for KVM's emulator; below that all bits count, be
 * it RAM at the very top or a gap: its exit has the gpa that the guest has touched,
 * the first time and when it comes from an MMIO SPTE or from what the vCPU remembers.
 *
 * What breaks this: reserved bits by the host's MAXPHYADDR, or by the guest's where
 * the host's is meant; an MMIO SPTE that has no room for some bits of its gfn, or no
 * reserved bit left; gfns that are cut short on the way.
 *
 * mmio_gap_test has gaps of every other kind; mmio_cache_test has RAM at gpas that
 * differ from a gap's in one bit.
 */
#include "guest_op.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(maxphyaddr_test, .needs = { .mem_mb = 64 });

#define SLOT		1
#define DRIVE_SLOT	2	/* its updates drive the generation */
#define DRIVE_GPA	0xe0000000UL

#ifndef KVM_CAP_SMALLER_MAXPHYADDR
#define KVM_CAP_SMALLER_MAXPHYADDR	185
#endif

KVM_FIXTURE(guest);
FIXTURE_VARIANT(guest) {
	unsigned int fewer;	/* bits than the host */
	bool late;		/* by a CPUID that comes after CR3 and CR4 */
};

FIXTURE_VARIANT_ADD(guest, as_wide_as_the_host) { .fewer = 0 };
FIXTURE_VARIANT_ADD(guest, narrower) { .fewer = 1 };
FIXTURE_VARIANT_ADD(guest, much_narrower) { .fewer = 4 };
FIXTURE_VARIANT_ADD(guest, narrowed_late) { .fewer = 3, .late = true };

static struct kvm_vm *create(unsigned int fewer)
{
	struct kvm_vm *vm = vm_create(1);

	vm_set_maxphyaddr(vm, vm->pa_bits - fewer);
	return vm;
}

static struct kvm_vm *create_with_vcpu(const FIXTURE_VARIANT(guest) *v,
				       struct kvm_vcpu **vcpu, void *guest_code)
{
	struct kvm_vm *vm = create(v->late ? 0 : v->fewer);

	*vcpu = vm_vcpu_add(vm, 0, guest_code);
	if (v->late)
		vcpu_set_maxphyaddr(*vcpu, vm->pa_bits - v->fewer);
	return vm;
}

/*
 * Hardware that walks the guest's page tables goes by the host's MAXPHYADDR, unless
 * KVM says that it helps out.
 */
static bool is_exact(unsigned int fewer)
{
	return !fewer || !kvm_is_tdp_enabled() || kvm_has_cap(KVM_CAP_SMALLER_MAXPHYADDR);
}

/* ---- reserved bits ---- */

#define TEST_GVA	0x600000000000UL
#define VALUE		0x123456789abcdefUL
#define CPUID_GBPAGES	BIT(26)		/* 0x80000001 EDX */

enum { CPU_READS, CPU_WRITES, CPU_FETCHES, KVM_WRITES, NR_ACCESSES };

static const char *const access_names[] = {
	"a read", "a write", "a fetch", "a write by KVM's emulator",
};

static const uint64_t access_error_code[] = {
	0, PFERR_WRITE_MASK, PFERR_FETCH_MASK, PFERR_WRITE_MASK,
};

/* The host's: which bits of which entry. The guest's: what came of each access. */
static struct {
	gva_t entry, gap;
	uint64_t bits, cleared;
	uint64_t vector[NR_ACCESSES], error_code[NR_ACCESSES], cr2[NR_ACCESSES];
} trial;

static void guest_access(unsigned int how)
{
	uint64_t ec = 0, addr = TEST_GVA + 8, src = trial.gap;
	uint8_t vector;

	switch (how) {
	case CPU_READS:
		vector = kvm_asm_safe_ec("testq $0, (%[a])", ec, [a] "r"(addr));
		break;
	case CPU_WRITES:
		vector = kvm_asm_safe_ec("movq $1, (%[a])", ec, [a] "r"(addr));
		break;
	case CPU_FETCHES:
		vector = guest_call_safe(TEST_GVA + 16, &ec);
		break;
	default:
		/* MOVS changes both registers. */
		vector = kvm_asm_safe_ec("movsq; sub $8, %[s]; sub $8, %[d]", ec,
					 [s] "S"(src), [d] "D"(addr));
	}
	trial.vector[how] = vector;
	trial.error_code[how] = ec;
	trial.cr2[how] = vector ? read_cr2() : 0;
}

static void guest_trials(void)
{
	unsigned int i;
	uint64_t entry;

	for (;;) {
		entry = guest_read64(trial.entry);
		guest_write64(trial.entry, (entry & ~trial.cleared) | trial.bits);
		write_cr3(read_cr3());
		for (i = 0; i < NR_ACCESSES; i++)
			guest_access(i);
		guest_write64(trial.entry, entry);
		write_cr3(read_cr3());
		GUEST_SYNC(guest_read64(TEST_GVA));
	}
}

static void run_trial(struct kvm_vcpu *vcpu, gpa_t gap)
{
	struct ucall uc;

	vcpu_run(vcpu);
	/* MOVS may read its source before it finds that it cannot write. */
	if (vcpu->run->exit_reason == KVM_EXIT_MMIO) {
		vcpu_check_mmio(vcpu, &(struct mmio_access){
			.gpa = gap, .len = 8, .data = VALUE });
		vcpu_run(vcpu);
	}
	if (get_ucall(vcpu, &uc) != UCALL_SYNC)
		vcpu_unexpected_exit(vcpu, "GUEST_SYNC");
	TEST_ASSERT_EQ(uc.args[0], VALUE);
}

/* QEMU's TCG forgets the present bit of a fault on a reserved bit. */
static bool same_error_code(uint64_t got, uint64_t want, unsigned int how)
{
	if (how != KVM_WRITES && kvm_is_tdp_enabled() && host_may_be_tcg())
		got |= PFERR_PRESENT_MASK;
	return got == want;
}

static void check_trial(struct kvm_vcpu *vcpu, int level, unsigned int bit)
{
	unsigned int i;

	sync_global_from_guest(vcpu->vm, trial);
	for (i = 0; i < NR_ACCESSES; i++) {
		uint64_t want = PFERR_PRESENT_MASK | PFERR_RSVD_MASK | access_error_code[i];
		uint64_t addr = TEST_GVA + (i == CPU_FETCHES ? 16 : 8);

		TEST_ASSERT(trial.vector[i] == PF_VECTOR &&
			    same_error_code(trial.error_code[i], want, i) &&
			    trial.cr2[i] == addr,
			    "%s through an entry of level %d with bit %u, MAXPHYADDR is %u: want #PF, error code 0x%lx, CR2 0x%lx, got vector %lu, error code 0x%lx, CR2 0x%lx",
			    access_names[i], level, bit, vcpu->vm->pa_bits, want, addr,
			    trial.vector[i], trial.error_code[i], trial.cr2[i]);
	}
}

/* Maps TEST_GVA; the guest's trials are of the entry of this level. */
static void trial_set_entry(struct kvm_vm *vm, int level)
{
	const gpa_t entry = vm_entry_gpa(vm, TEST_GVA, level);

	trial.entry = vm_map_gpa(vm, align_down(entry, PAGE_SIZE), PAGE_SIZE) +
		      entry % PAGE_SIZE;
}

static void trial_init(struct kvm_vm *vm, gpa_t gap)
{
	const gpa_t data = vm_phy_pages_alloc(vm, 1);

	*(uint64_t *)addr_gpa2hva(vm, data) = VALUE;
	virt_pg_map(vm, TEST_GVA, data);
	trial.gap = vm_map_gpa(vm, gap, PAGE_SIZE);
}

KVM_TEST_F(guest, faults_on_bits_beyond)
{
	const gpa_t gap = DRIVE_GPA;
	unsigned int bit, first;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create_with_vcpu(variant, &vcpu, guest_trials);
	int level;

	first = vm->pa_bits + (is_exact(variant->fewer) ? 0 : variant->fewer);
	__TEST_REQUIRE(first < 52, "all 52 bits of an address are in use");
	trial_init(vm, gap);
	for (level = PG_LEVEL_4K; level <= PG_LEVEL_512G; level++) {
		trial_set_entry(vm, level);
		/* The first, the last, and what is between, but not all of that. */
		for (bit = first; bit < 52; bit += bit < 50 && bit > first ? 3 : 1) {
			test_step("bit %u of an entry of level %d", bit, level);
			trial.bits = BIT_ULL(bit);
			sync_global_to_guest(vm, trial);
			run_trial(vcpu, gap);
			check_trial(vcpu, level, bit);
		}
	}
	kvm_vm_free(vm);
}

static void forget_gbpages(struct kvm_vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = kvm_get_supported_cpuid();
	uint32_t i;

	for (i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == 0x80000001)
			cpuid->entries[i].edx &= ~CPUID_GBPAGES;
	}
	vcpu_ioctl(vcpu, KVM_SET_CPUID2, cpuid);
}

/*
 * 512G pages there are none, and 1G pages only where CPUID says so; the CPU that walks
 * the guest's page tables by itself has its own CPUID.
 */
KVM_TEST(faults_on_large_pages_that_there_are_none)
{
	const gpa_t gap = DRIVE_GPA;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(0);
	int level;

	vcpu = vm_vcpu_add(vm, 0, guest_trials);
	forget_gbpages(vcpu);
	trial_init(vm, gap);
	trial.bits = PTE_LARGE_MASK;
	for (level = kvm_is_tdp_enabled() ? PG_LEVEL_512G : PG_LEVEL_1G;
	     level <= PG_LEVEL_512G; level++) {
		test_step("a large page of level %d", level);
		trial_set_entry(vm, level);
		/* A good address of a 1G page. */
		trial.cleared = PG_LEVEL_SIZE(PG_LEVEL_1G) - PAGE_SIZE;
		sync_global_to_guest(vm, trial);
		run_trial(vcpu, gap);
		check_trial(vcpu, level, 7);
	}
	kvm_vm_free(vm);
}

/* Below the size of a large page its address has no bits, and the lowest one is PAT. */
KVM_TEST(faults_on_bits_inside_a_large_page)
{
	const gpa_t gap = DRIVE_GPA;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(0);
	int level, bit;

	vcpu = vm_vcpu_add(vm, 0, guest_trials);
	trial_init(vm, gap);
	for (level = PG_LEVEL_2M; level <= (guest_has_gbpages() ? PG_LEVEL_1G : PG_LEVEL_2M);
	     level++) {
		trial_set_entry(vm, level);
		trial.cleared = PG_LEVEL_SIZE(level) - PAGE_SIZE;
		for (bit = 13; bit < PG_LEVEL_SHIFT(level); bit++) {
			test_step("bit %u of a large page of level %d", bit, level);
			trial.bits = PTE_LARGE_MASK | BIT_ULL(bit);
			sync_global_to_guest(vm, trial);
			run_trial(vcpu, gap);
			check_trial(vcpu, level, bit);
		}
	}
	kvm_vm_free(vm);
}

/* Where a leaf has G, AMD's CPUs want a zero in an entry of the highest level. */
KVM_TEST(faults_on_g_of_an_upper_entry)
{
	const gpa_t gap = DRIVE_GPA;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	__TEST_REQUIRE(host_is_amd(), "needs a CPU of AMD");
	__TEST_REQUIRE(!kvm_is_tdp_enabled() || !host_may_be_tcg(),
		       "needs another host than QEMU's TCG, or kvm_amd.npt=0");
	vm = create(0);
	vcpu = vm_vcpu_add(vm, 0, guest_trials);
	trial_init(vm, gap);
	trial_set_entry(vm, PG_LEVEL_512G);
	trial.bits = BIT_ULL(8);
	sync_global_to_guest(vm, trial);
	run_trial(vcpu, gap);
	check_trial(vcpu, PG_LEVEL_512G, 8);
	kvm_vm_free(vm);
}

/* ---- gaps ---- */

static void memslot_update_pair(struct kvm_vm *vm)
{
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, DRIVE_GPA, DRIVE_SLOT, 1, 0);
	vm_mem_region_delete(vm, DRIVE_SLOT);
}

/* In turn, so that neither is what the vCPU remembers; then twice in a row. */
static void touch_gaps(struct kvm_vcpu *vcpu, gva_t a, gva_t b)
{
	vcpu_do_read(vcpu, a + 8, 4);
	vcpu_do_write(vcpu, b + 0xff0, 8);
	vcpu_do_read(vcpu, a, 8);
	vcpu_do_read(vcpu, b, 1);
	vcpu_do_write(vcpu, a + 0x7fc, 4);
	vcpu_do_read(vcpu, a + 0x7f8, 4);
}

KVM_TEST_F(guest, gaps_have_all_bits)
{
	const unsigned int lowest = 32;
	struct kvm_vm *vm = create(variant->fewer);
	struct kvm_vcpu *vcpu = vm_op_vcpu_add(vm, 0);
	unsigned int bit, i;
	gva_t gva[52][2];
	gpa_t ones;

	for (bit = lowest; bit < vm->pa_bits; bit++) {
		/* One bit of the gfn, and this one with all below. */
		ones = BIT_ULL(bit + 1) - PAGE_SIZE;
		if (ones >> PAGE_SHIFT > vm->max_gfn)
			ones = vm->max_gfn << PAGE_SHIFT;
		gva[bit][0] = vm_map_gpa(vm, BIT_ULL(bit), PAGE_SIZE);
		gva[bit][1] = vm_map_gpa(vm, ones, PAGE_SIZE);
	}
	for (i = 0; i < 4; i++) {
		breadcrumb("generation about %lu", vm->memslot_generation);
		for (bit = lowest; bit < vm->pa_bits; bit++)
			touch_gaps(vcpu, gva[bit][0], gva[bit][1]);
		/* Of this generation, too, all SPTEs have been read once. */
		for (bit = lowest; bit < vm->pa_bits; bit++)
			vcpu_do_read(vcpu, gva[bit][i % 2], 8);
		memslot_update_pair(vm);
	}
	kvm_vm_free(vm);
}

/* ---- RAM at the top ---- */

/* The first and the last page of the slot, and what is below and behind. */
static void touch_top(struct kvm_vcpu *vcpu, gva_t gva, size_t size)
{
	vcpu_do_read(vcpu, gva - PAGE_SIZE + 0xff8, 8);
	vcpu_do_write(vcpu, gva, 8);
	vcpu_do_write(vcpu, gva + size - 8, 8);
	vcpu_do_read(vcpu, gva - 8, 4);
	vcpu_do_read(vcpu, gva + size - 4, 4);
	vcpu_do_read(vcpu, gva, 8);
	/* Half of it is in the gap. */
	vcpu_do_write(vcpu, gva - 4, 8);
	vcpu_do_read(vcpu, gva + size / 2, 2);
}

static void ram_at_the_top(unsigned int fewer, enum vm_mem_backing_src_type src,
			   size_t size)
{
	struct kvm_vm *vm = create(fewer);
	struct kvm_vcpu *vcpu = vm_op_vcpu_add(vm, 0);
	gpa_t top = (vm->max_gfn + 1) << PAGE_SHIFT, gpa = top - size;
	gva_t gva = TEST_GVA + gpa % SZ_1G;
	unsigned int i;

	virt_pg_map(vm, gva - PAGE_SIZE, gpa - PAGE_SIZE);
	virt_map(vm, gva, gpa, size / PAGE_SIZE);
	for (i = 0; i < 3; i++) {
		breadcrumb("round %u: a gap of 0x%lx bytes up to gpa 0x%lx", i, size, top);
		touch_top(vcpu, gva, size);
		breadcrumb("round %u: RAM of 0x%lx bytes up to gpa 0x%lx", i, size, top);
		vm_userspace_mem_region_add(vm, src, gpa, SLOT, size / PAGE_SIZE,
					    i == 1 ? KVM_MEM_LOG_DIRTY_PAGES : 0);
		touch_top(vcpu, gva, size);
		memslot_update_pair(vm);
		touch_top(vcpu, gva, size);
		vm_mem_region_delete(vm, SLOT);
	}
	touch_top(vcpu, gva, size);
	kvm_vm_free(vm);
}

KVM_TEST_F(guest, has_its_last_page)
{
	ram_at_the_top(variant->fewer, VM_MEM_SRC_ANONYMOUS, PAGE_SIZE);
}

KVM_TEST_F(guest, has_its_last_2m, .huge_2m = 1)
{
	ram_at_the_top(variant->fewer, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, SZ_2M);
}

/* A slot, half of which is beyond what one entry of an upper level spans. */
KVM_TEST_F(guest, has_ram_across_upper_entries)
{
	struct kvm_vm *vm = create(variant->fewer);
	struct kvm_vcpu *vcpu = vm_op_vcpu_add(vm, 0);
	const gpa_t border = BIT_ULL(vm->pa_bits > 39 ? 39 : vm->pa_bits - 1);
	const size_t half = 2 * PAGE_SIZE;
	gva_t gva = TEST_GVA + SZ_1G;
	unsigned int i;

	virt_map(vm, gva - half, border - half, 2 * half / PAGE_SIZE);
	for (i = 0; i < 3; i++) {
		breadcrumb("round %u: a gap around gpa 0x%lx", i, border);
		vcpu_do_write(vcpu, gva - 4, 8);
		vcpu_do_read(vcpu, gva, 8);
		vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, border - half, SLOT,
					    2 * half / PAGE_SIZE, 0);
		breadcrumb("round %u: RAM around gpa 0x%lx", i, border);
		vcpu_do_write(vcpu, gva - 4, 8);
		vcpu_do_write(vcpu, gva - half, 8);
		vcpu_do_read(vcpu, gva + half - 8, 8);
		vcpu_do_read(vcpu, gva, 8);
		vm_mem_region_delete(vm, SLOT);
	}
	kvm_vm_free(vm);
}

KVM_TEST_MAIN()
