// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must hold: an instruction that is in a gap, or that KVM cannot emulate
 * on a gap, ends in KVM_EXIT_INTERNAL_ERROR with the bytes of the instruction.
 * The vCPU stands at that instruction, can be inspected and repaired, and runs
 * on. A guest's user mode gets #UD instead, unless the VMM asked for every failure.
 *
 * What breaks it: retrying what can never succeed, so that KVM_RUN does not
 * come back; an exit that says something else than what happened; state that is
 * lost or made up on the way, which shows once the VM is repaired.
 */
#include "dying.h"
#include "gap_guest.h"
#include "internal_error.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(internal_error_test, .needs = { .timeout = 10 });

#define ROUNDS		8
#define MAGIC_RESULT	0x12345678U

/* ---- guest ---- */

/* Four that KVM's emulator does not know, from 5.10 to 7.2. */
GUEST_INSN(crc32, "xor %eax, %eax", "crc32l (%rdi), %eax", "");
GUEST_INSN(x87_load, "fninit", "fldl (%rdi)",
	   "push %rax\n\tfistpll (%rsp)\n\tpop %rax");
GUEST_INSN(x87_store, "fninit\n\tfld1", "fstpl (%rdi)", "");
/* This one it decodes and reads the operand of; then it finds it too wide. */
GUEST_INSN(cmpxchg16b, "xor %eax, %eax\n\txor %edx, %edx",
	   "lock cmpxchg16b (%rdi)", "");

GUEST_INSN(load, "", "mov (%rdi), %rax", "");
/* KVM can emulate it, but takes it for nothing that writes page tables. */
GUEST_INSN(add, "", "addq $2, (%rdi)", "");

/* mov $MAGIC_RESULT, %eax; xor %r9d, %r9d; jmp *%r11 */
static const uint8_t gap_code[] = {
	0xb8, 0x78, 0x56, 0x34, 0x12, 0x45, 0x31, 0xc9, 0x41, 0xff, 0xe3,
};

/* How much of gap_code is in the RAM below the gap when it straddles. */
#define STRADDLE	3

/* ---- the instructions as the host sees them ---- */

enum insn {
	INSN_FETCH,		/* the instruction itself is in the gap */
	INSN_FETCH_STRADDLE,	/* its last bytes are */
	INSN_CRC32,
	INSN_X87_LOAD,
	INSN_X87_STORE,
	INSN_CMPXCHG16B,
};

static const struct insn_info {
	const char *name;
	char *entry, *insn, *end;
	unsigned int mmio_reads;	/* of 8 bytes each, before it fails */
	uint64_t operand;		/* in the RAM that closes the gap */
	uint64_t result;		/* in rax, there */
	uint64_t stored;		/* in that RAM, afterwards */
} insns[] = {
	[INSN_FETCH] = { .name = "fetch", .result = MAGIC_RESULT },
	[INSN_FETCH_STRADDLE] = { .name = "straddling fetch", .result = MAGIC_RESULT },
	/* The CRC-32C, from 0, of four bytes 0xff. */
	[INSN_CRC32] = { "crc32", guest_crc32, guest_crc32_insn, guest_crc32_end,
			 .operand = 0xffffffff, .result = 0xb798b438,
			 .stored = 0xffffffff },
	[INSN_X87_LOAD] = { "fld", guest_x87_load, guest_x87_load_insn,
			    guest_x87_load_end,
			    .operand = 0x4045000000000000, /* 42.0 */
			    .result = 42, .stored = 0x4045000000000000 },
	[INSN_X87_STORE] = { "fstp", guest_x87_store, guest_x87_store_insn,
			     guest_x87_store_end, .operand = 0x1111,
			     .stored = 0x3ff0000000000000 /* 1.0 */ },
	[INSN_CMPXCHG16B] = { "cmpxchg16b", guest_cmpxchg16b,
			      guest_cmpxchg16b_insn, guest_cmpxchg16b_end,
			      .mmio_reads = 2, .operand = 0x77665544,
			      .result = 0x77665544, .stored = 0x77665544 },
};

/* ---- host ---- */

static gva_t insn_rip(struct gap_guest *g, enum insn insn, int gap)
{
	if (insn == INSN_FETCH)
		return g->gva[gap];
	if (insn == INSN_FETCH_STRADDLE)
		return g->gva[gap] - STRADDLE;
	return (gva_t)insns[insn].insn;
}

/* Gives the guest the job, and its RAM what the job finds once the gap is closed. */
static void set_job(struct gap_guest *g, enum insn insn, int gap)
{
	const struct insn_info *info = &insns[insn];
	gva_t rip = insn_rip(g, insn, gap);
	uint64_t *ram = g->ram[gap].hva;

	memset(ram, 0, PAGE_SIZE);
	if (insn == INSN_FETCH) {
		memcpy(ram, gap_code, sizeof(gap_code));
	} else if (insn == INSN_FETCH_STRADDLE) {
		memcpy(addr_gva2hva(g->vm, rip), gap_code, STRADDLE);
		memcpy(ram, gap_code + STRADDLE, sizeof(gap_code) - STRADDLE);
	} else {
		ram[0] = info->operand;
	}
	vm_set_guest_job(g->vm, &(struct guest_job){
		.entry = info->entry ? (gva_t)info->entry : rip,
		.gva = g->gva[gap],
		.frame_rip = rip,
	});
}

/*
 * Without the capability a #UD is queued as well, for the VMM that goes on as
 * if nothing had been; with it the instruction is as if it had never started.
 */
static void check_queued_exception(struct gap_guest *g)
{
	struct kvm_vcpu_events events;
	bool queued;

	vcpu_ioctl(g->vcpu, KVM_GET_VCPU_EVENTS, &events);
	queued = events.exception.injected || events.exception.pending;
	TEST_ASSERT(queued == !g->cap &&
		    (!queued || events.exception.nr == UD_VECTOR),
		    "want %s, got %s, vector %u", g->cap ? "no exception queued" :
		    "#UD queued", queued ? "one queued" : "none",
		    events.exception.nr);
}

/* Runs the job; the operand is read as often as KVM reads it before it gives up. */
static void run_job(struct gap_guest *g, enum insn insn, int gap)
{
	gpa_t gpa = gap_gpa(gap);
	unsigned int i;

	breadcrumb("round %u: %s at gap 0x%lx", g->round, insns[insn].name, gpa);
	vcpu_run_poisoned(g->vcpu);
	for (i = 0; i < insns[insn].mmio_reads; i++) {
		vcpu_check_mmio(g->vcpu, &(struct mmio_access){
			.gpa = gpa + i * 8, .len = 8, .data = ~0ULL });
		vcpu_run_poisoned(g->vcpu);
	}
}

static void expect_failure(struct gap_guest *g, enum insn insn, int gap)
{
	const struct insn_info *info = &insns[insn];
	struct kvm_regs regs;

	run_job(g, insn, gap);
	vcpu_check_internal_error(g->vcpu, &(struct internal_error){
		.suberror = KVM_INTERNAL_ERROR_EMULATION,
		.rip = insn_rip(g, insn, gap),
		.insn_size = insn == INSN_FETCH ? 0 : insn == INSN_FETCH_STRADDLE ?
			     STRADDLE : info->end - info->insn,
		.exit_on_failure = g->cap,
		.after_mmio = info->mmio_reads });
	vcpu_regs_get(g->vcpu, &regs);
	TEST_ASSERT_EQ((gva_t)regs.rdi, g->gva[gap]);
}

/* The VMM steps over the instruction, as if it had done its work. */
static void repair_by_skipping(struct gap_guest *g, enum insn insn)
{
	struct kvm_regs regs;
	struct ucall uc;

	vcpu_regs_get(g->vcpu, &regs);
	if (insns[insn].end) {
		regs.rip = (gva_t)insns[insn].end;
	} else {
		regs.rip = regs.r11;
		regs.r9 = 0;
	}
	vcpu_regs_set(g->vcpu, &regs);
	gap_guest_expect_vector(g, 0, &uc);
}

/* RAM comes under the instruction, or its operand, and it is run again. */
static void repair_with_ram(struct gap_guest *g, enum insn insn, int gap)
{
	const struct insn_info *info = &insns[insn];
	uint64_t *ram = g->ram[gap].hva;
	bool fetch = !info->insn;
	struct kvm_regs regs;
	struct ucall uc;

	TEST_ASSERT(fetch || *ram == info->operand, "%s failed, but wrote 0x%lx",
		    info->name, *ram);
	gap_close(g, gap);
	/* Drops the #UD that may be pending. */
	vcpu_regs_get(g->vcpu, &regs);
	vcpu_regs_set(g->vcpu, &regs);
	gap_guest_expect_vector(g, 0, &uc);
	TEST_ASSERT(insn == INSN_X87_STORE || uc.args[1] == info->result,
		    "%s from RAM gave 0x%lx, want 0x%lx", info->name, uc.args[1],
		    info->result);
	TEST_ASSERT(fetch || *ram == info->stored,
		    "after %s the RAM holds 0x%lx, want 0x%lx", info->name, *ram,
		    info->stored);
	gap_open(g, gap);
}

/* ---- cases: instructions ---- */

FIXTURE_VARIANT(insn) {
	enum insn insn;
	bool cap;
	bool ro_pte;	/* the guest's page tables write-protect the gap */
	bool ro_slot;
};
KVM_FIXTURE(insn)

#define INSN_VARIANTS(name, ...)					\
	FIXTURE_VARIANT_ADD(insn, name) { __VA_ARGS__ };		\
	FIXTURE_VARIANT_ADD(insn, name##_exit_on_failure) {		\
		.cap = true, __VA_ARGS__				\
	}

INSN_VARIANTS(fetch, .insn = INSN_FETCH);
INSN_VARIANTS(fetch_straddling, .insn = INSN_FETCH_STRADDLE);
INSN_VARIANTS(crc32, .insn = INSN_CRC32);
/*
 * Shadow paging asks the guest's page tables whether a write could be retried;
 * a read that must not be retried at all is told by that.
 */
INSN_VARIANTS(crc32_read_only_pte, .insn = INSN_CRC32, .ro_pte = true);
INSN_VARIANTS(x87_load, .insn = INSN_X87_LOAD);
INSN_VARIANTS(x87_store, .insn = INSN_X87_STORE);
INSN_VARIANTS(x87_store_read_only_slot, .insn = INSN_X87_STORE, .ro_slot = true);
INSN_VARIANTS(cmpxchg16b, .insn = INSN_CMPXCHG16B);

static void insn_init(struct gap_guest *g, const FIXTURE_VARIANT(insn) *variant)
{
	const struct kvm_cpuid_entry2 *leaf =
		get_cpuid_entry(kvm_get_supported_cpuid(), 1, 0);
	int i;

	if (variant->insn == INSN_CRC32)
		__TEST_REQUIRE(leaf->ecx & BIT(20), "needs SSE4.2 in the guest");
	if (variant->insn == INSN_CMPXCHG16B)
		__TEST_REQUIRE(leaf->ecx & BIT(13), "needs CMPXCHG16B in the guest");
	gap_guest_create(g, variant->cap);
	if (variant->ro_slot)
		gap_guest_use_readonly_slots(g);
	for (i = 0; variant->ro_pte && i < 2; i++)
		*vm_get_pte(g->vm, g->gva[i], NULL) &= ~PTE_WRITABLE_MASK;
}

KVM_TEST_F(insn, exits_and_can_be_repaired)
{
	struct gap_guest g;

	insn_init(&g, variant);
	for (g.round = 0; g.round < ROUNDS; g.round++) {
		int gap = g.round & 1;

		set_job(&g, variant->insn, gap);
		expect_failure(&g, variant->insn, gap);
		check_queued_exception(&g);
		if (g.round & 2)
			repair_with_ram(&g, variant->insn, gap);
		else
			repair_by_skipping(&g, variant->insn);
	}
	/* The VM goes down as it failed. */
	set_job(&g, variant->insn, 0);
	expect_failure(&g, variant->insn, 0);
}

/* KVM_RUN again, with nothing repaired: another try, or the guest takes its #UD. */
KVM_TEST_F(insn, runs_again_unrepaired)
{
	struct ucall uc;
	struct gap_guest g;

	insn_init(&g, variant);
	for (g.round = 0; g.round < ROUNDS; g.round++) {
		set_job(&g, variant->insn, 0);
		expect_failure(&g, variant->insn, 0);
		if (!variant->cap)
			gap_guest_expect_vector(&g, UD_VECTOR, &uc);
	}
}

KVM_TEST_F(insn, user_mode_gets_ud)
{
	struct ucall uc;
	struct gap_guest g;

	insn_init(&g, variant);
	vcpu_enter_user_mode(g.vcpu);
	for (g.round = 0; g.round < ROUNDS; g.round++) {
		int gap = g.round & 1;

		set_job(&g, variant->insn, gap);
		if (variant->cap) {
			expect_failure(&g, variant->insn, gap);
			repair_by_skipping(&g, variant->insn);
			continue;
		}
		run_job(&g, variant->insn, gap);
		if (get_ucall(g.vcpu, &uc) != UCALL_SYNC || uc.args[0] != UD_VECTOR)
			vcpu_unexpected_exit(g.vcpu, "#UD in the guest's user mode");
	}
}

/* ---- cases: the whole VM ---- */

/* 1: incq (%rdi); jmp 1b */
static const uint8_t counting_code[] = { 0x48, 0xff, 0x07, 0xeb, 0xfb };

static uint64_t guest_counter;

static void run_counting_code(struct gap_guest *g, struct kvm_vcpu *vcpus[2])
{
	int i;

	write_guest_global(g->vm, guest_counter, 0);
	vm_set_guest_job(g->vm, &(struct guest_job){
		.entry = g->gva[0], .gva = (gva_t)&guest_counter,
	});
	memcpy(g->ram[0].hva, counting_code, sizeof(counting_code));
	gap_close(g, 0);
	for (i = 0; i < 2; i++)
		vcpu_thread_start(vcpus[i], vcpu_run_poisoned);
	while (read_guest_global(g->vm, guest_counter) < 1000)
		usleep(100);
	breadcrumb("round %u: delete the code", g->round);
	gap_open(g, 0);
	for (i = 0; i < 2; i++)
		vcpu_thread_join(vcpus[i]);
}

static void check_code_is_gone(struct gap_guest *g, struct kvm_vcpu *vcpu)
{
	struct kvm_regs regs;

	vcpu_regs_get(vcpu, &regs);
	TEST_ASSERT(regs.rip == g->gva[0] || regs.rip == g->gva[0] + 3,
		    "vCPU %u stands at 0x%llx, its code is at 0x%lx", vcpu->id,
		    regs.rip, g->gva[0]);
	vcpu_check_internal_error(vcpu, &(struct internal_error){
		.suberror = KVM_INTERNAL_ERROR_EMULATION, .rip = regs.rip });
	regs.rip = g->gva[0];
	vcpu_regs_set(vcpu, &regs);
}

/* Each vCPU finds out by itself that what it executes is no memory any more. */
KVM_TEST(code_deleted_under_two_vcpus)
{
	struct kvm_vcpu *vcpus[2];
	struct gap_guest g;
	struct ucall uc;
	int i;

	gap_guest_create(&g, false);
	vcpus[0] = g.vcpu;
	vcpus[1] = vm_vcpu_add(g.vm, 1, guest_job_loop);
	for (g.round = 0; g.round < ROUNDS; g.round++) {
		run_counting_code(&g, vcpus);
		for (i = 0; i < 2; i++)
			check_code_is_gone(&g, vcpus[i]);
		memcpy(g.ram[0].hva, gap_code, sizeof(gap_code));
		gap_close(&g, 0);
		for (i = 0; i < 2; i++) {
			vcpu_run_to_sync(vcpus[i], &uc);
			TEST_ASSERT_EQ(uc.args[1], (uint64_t)MAGIC_RESULT);
		}
		gap_open(&g, 0);
	}
}

/* A failure on one vCPU, a read that was not answered on the other. */
static struct kvm_vm *failed_vm(void *arg)
{
	struct kvm_vcpu *other;
	struct gap_guest g;

	(void)arg;
	gap_guest_create(&g, false);
	other = vm_vcpu_add(g.vm, 1, guest_job_loop);
	set_job(&g, INSN_FETCH, 0);
	expect_failure(&g, INSN_FETCH, 0);
	vm_set_guest_job(g.vm, &(struct guest_job){
		.entry = (gva_t)guest_load, .gva = g.gva[1],
	});
	vcpu_expect_mmio_read(other, gap_gpa(1), 8, 0);
	return g.vm;
}

KVM_TEST(dies_unrepaired)
{
	enum vm_death how;

	for (how = 0; how < NR_VM_DEATHS; how++)
		vm_die_in_child(how, failed_vm, NULL);
}

/* ---- stores to page tables ---- */

#define SELF_GVA	0x300000000000UL
#define OTHER_GVA	0x400000000000UL

/* Maps the table of PDEs on the way to @of at @gva. */
static void map_table(struct kvm_vm *vm, gva_t gva, gva_t of)
{
	gpa_t table = align_down(vm_entry_gpa(vm, of, PG_LEVEL_2M), PAGE_SIZE);
	uint64_t *pte;
	int level;

	pte = vm_get_pte(vm, gva, &level);
	*pte = (*pte & ~PHYSICAL_PAGE_MASK) | table;
}

static void set_access(struct gap_guest *g, gva_t gva, char *entry, char *insn)
{
	vm_set_guest_job(g->vm, &(struct guest_job){
		.entry = (gva_t)entry,
		.gva = gva,
		.frame_rip = (gva_t)insn,
	});
}

static void set_store(struct gap_guest *g, gva_t gva)
{
	set_access(g, gva, guest_x87_store, guest_x87_store_insn);
}

static void expect_store_fails(struct gap_guest *g)
{
	vcpu_run_poisoned(g->vcpu);
	vcpu_check_internal_error(g->vcpu, &(struct internal_error){
		.suberror = KVM_INTERNAL_ERROR_EMULATION,
		.rip = (gva_t)guest_x87_store_insn,
		.insn_size = guest_x87_store_end - guest_x87_store_insn });
}

/*
 * Shadow paging keeps upper tables write-protected and emulates what is stored there.
 * Where it cannot, it lets the guest try again without that shadow page; but not if
 * the try needs the very same one.
 */
KVM_TEST(store_to_a_table_that_it_goes_through)
{
	const size_t last = PAGE_SIZE - 8;
	unsigned int round;
	uint64_t *stored;
	struct ucall uc;
	struct gap_guest g;

	__TEST_REQUIRE(!kvm_is_tdp_enabled(), "needs shadow paging: kvm_amd.npt=0 or kvm_intel.ept=0");
	gap_guest_create(&g, false);
	virt_pg_map(g.vm, SELF_GVA, gap_gpa(0) - PAGE_SIZE);
	virt_pg_map(g.vm, OTHER_GVA, gap_gpa(0) - PAGE_SIZE);
	map_table(g.vm, OTHER_GVA, SELF_GVA);
	map_table(g.vm, SELF_GVA, SELF_GVA);
	stored = addr_gva2hva(g.vm, SELF_GVA + last);
	for (round = 0; round < ROUNDS; round++) {
		*stored = 0;
		breadcrumb("round %u: store to another table", round);
		set_store(&g, OTHER_GVA + last);
		gap_guest_expect_vector(&g, 0, &uc);
		TEST_ASSERT(*stored == insns[INSN_X87_STORE].stored, "the guest stored 0x%lx, 0x%lx is there",
			    insns[INSN_X87_STORE].stored, *stored);
	}
	*stored = 0;
	breadcrumb("store to the table that the store goes through");
	set_store(&g, SELF_GVA + last);
	expect_store_fails(&g);
	TEST_ASSERT(!*stored, "0x%lx was stored by an instruction that failed", *stored);
	kvm_vm_free(g.vm);
}

/*
 * The same where not the store goes through the table, but the fetch of its
 * instruction: with each try KVM shadows and protects the table anew.
 */
FIXTURE_VARIANT(code) {
	char *entry, *insn, *end;
	bool fails;
};
KVM_FIXTURE(code)

FIXTURE_VARIANT_ADD(code, add) { guest_add, guest_add_insn, guest_add_end, false };
FIXTURE_VARIANT_ADD(code, x87_store) {
	guest_x87_store, guest_x87_store_insn, guest_x87_store_end, true,
};

KVM_TEST_F(code, store_to_the_table_of_its_code)
{
	const size_t last = PAGE_SIZE - 8;
	unsigned int round;
	struct gap_guest g;
	uint64_t *stored;
	struct ucall uc;

	__TEST_REQUIRE(!kvm_is_tdp_enabled(), "needs shadow paging: kvm_amd.npt=0 or kvm_intel.ept=0");
	__TEST_REQUIRE(!variant->fails || kernel_at_least(6, 12),
		       "needs Linux 6.12: older ones let the guest try for ever");
	gap_guest_create(&g, false);
	virt_pg_map(g.vm, OTHER_GVA, gap_gpa(0) - PAGE_SIZE);
	map_table(g.vm, OTHER_GVA, (gva_t)variant->insn);
	stored = addr_gva2hva(g.vm, OTHER_GVA + last);
	TEST_ERROR_ON(*stored, "the last entry of the code's table is in use");
	for (round = 0; round < ROUNDS; round++) {
		*stored = round * 2;
		breadcrumb("round %u: store to the table of the store's code", round);
		set_access(&g, OTHER_GVA + last, variant->entry, variant->insn);
		if (variant->fails) {
			expect_store_fails(&g);
			TEST_ASSERT(*stored == round * 2, "0x%lx was stored by an instruction that failed",
				    *stored);
			break;
		}
		gap_guest_expect_vector(&g, 0, &uc);
		TEST_ASSERT(*stored == round * 2 + 2, "the guest added 2 to %u, 0x%lx is there",
			    round * 2, *stored);
	}
	kvm_vm_free(g.vm);
}

KVM_TEST_MAIN()
