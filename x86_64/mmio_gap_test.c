// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gaps: guest physical memory that no memslot holds.
 *
 * Each access to a gap must exit to user space with exactly what the guest did:
 * gpa, length, direction and data, in the order of the instruction's accesses,
 * and the guest must get exactly the bytes it is given. That must hold on the
 * first touch of a page and when KVM finds the page's MMIO SPTE (or the vCPU's
 * one-page cache) instead; so pages are touched in turns. And what is a gap
 * must follow the memslots at once.
 *
 * Bugs of this class: a wrong gfn taken out of an MMIO SPTE, a memslot search
 * that finds a slot beyond its end, halves of a page-crossing access mixed up
 * or lost, an MMIO SPTE that outlives the gap.
 */
#include "guest_op.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(mmio_gap_test,
	.fixes = FIXES(
		"b6467ab142b7 KVM: Check validity of resolved slot when searching memslots",
		"daa07cbc9ae3 KVM: x86: fix L1TF's MMIO GFN calculation",
		"6129ed877d40 KVM: x86/mmu: Set mmio_value to '0' if reserved #PF can't be generated"));

/*
 * Memory as in a PC, in small: RAM to 640K, from 1M, before the PCI hole, and
 * from 4G. Slot 0 (16M) is the library's; the rest is gap.
 */
#define RAM_PAGES	4
#define RAM_SIZE	(RAM_PAGES * PAGE_SIZE)

enum { LOW_SLOT = 1, MIDDLE_SLOT, HOLE_SLOT, HIGH_SLOT, NR_SLOTS, GAP_SLOT };

static const gpa_t ram[NR_SLOTS] = {
	[LOW_SLOT] = 0xa0000 - RAM_SIZE,
	[MIDDLE_SLOT] = SZ_1M,
	[HOLE_SLOT] = 0xc0000000 - RAM_SIZE,
	[HIGH_SLOT] = SZ_4G,
};

/* Stands for the last two pages that a guest can address. */
#define TOP		(~0UL)

static gpa_t resolve(struct kvm_vm *vm, gpa_t gpa)
{
	return gpa == TOP ? (vm->max_gfn - 1) << PAGE_SHIFT : gpa;
}

static struct kvm_vm *create_pc(uint32_t nr_vcpus, struct kvm_vcpu *vcpus[])
{
	struct kvm_vm *vm = vm_create_with_op_vcpus(nr_vcpus, vcpus);
	uint64_t *word, i;
	int slot;

	for (slot = LOW_SLOT; slot < NR_SLOTS; slot++) {
		vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, ram[slot],
					    slot, RAM_PAGES, 0);
		word = addr_gpa2hva(vm, ram[slot]);
		for (i = 0; i < RAM_SIZE / 8; i++)
			word[i] = test_random();
	}
	return vm;
}

/* Two guest pages in a row that map these two. */
static gva_t map_pair(struct kvm_vm *vm, gpa_t first, gpa_t second)
{
	gva_t gva = vm->next_gva;

	virt_pg_map(vm, gva, first);
	virt_pg_map(vm, gva + PAGE_SIZE, second);
	vm->next_gva += 3 * PAGE_SIZE;
	return gva;
}

/* ---- two pages in a gap ---- */

KVM_FIXTURE(gap);
FIXTURE_VARIANT(gap) {
	gpa_t gpa;
};

FIXTURE_VARIANT_ADD(gap, below_1m) { .gpa = 0xa0000 };
FIXTURE_VARIANT_ADD(gap, between_slots) { .gpa = SZ_1M + RAM_SIZE };
FIXTURE_VARIANT_ADD(gap, pci_hole) { .gpa = 0xe0000000 };
FIXTURE_VARIANT_ADD(gap, behind_local_apic) { .gpa = 0xfee01000 };
FIXTURE_VARIANT_ADD(gap, above_ram) { .gpa = SZ_4G + RAM_SIZE };
FIXTURE_VARIANT_ADD(gap, top) { .gpa = TOP };

struct gap {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu[2];
	gpa_t gpa;
	gva_t gva;		/* of both pages */
	gva_t swapped;		/* the second page before the first */
	gva_t ram;		/* of MIDDLE_SLOT */
};

static void gap_init(struct gap *g, gpa_t gpa, uint32_t nr_vcpus)
{
	g->vm = create_pc(nr_vcpus, g->vcpu);
	g->gpa = resolve(g->vm, gpa);
	g->gva = map_pair(g->vm, g->gpa, g->gpa + PAGE_SIZE);
	g->swapped = map_pair(g->vm, g->gpa + PAGE_SIZE, g->gpa);
	g->ram = vm_map_gpa(g->vm, ram[MIDDLE_SLOT], RAM_SIZE);
	breadcrumb("touch gap at gpa 0x%lx", g->gpa);
}

/* MMIO SPTEs made so far; one for each first touch, none where KVM caches none. */
static void check_sptes_created(struct kvm_vm *vm, int64_t want)
{
	bool caching = kvm_get_module_param_bool("kvm", "mmio_caching");
	int64_t created;

	if (!vm_read_stat(vm, "pf_mmio_spte_created", &created) ||
	    kvm_get_module_param_integer("kvm", "mmio_caching") < 0) {
		pr_info("not counted: this kernel does not say how many MMIO SPTEs it made");
		return;
	}
	TEST_ASSERT_ORACLE(ORACLE_STATS, created == (caching ? want : 0),
			   "pf_mmio_spte_created is %ld; gap pages touched: %ld, mmio_caching=%c",
			   created, want, caching ? 'Y' : 'N');
}

KVM_TEST_F(gap, reads_and_writes_exit)
{
	static const unsigned int offsets[] = { 0, 1, 6, 0x7fc, 0xff8 };
	unsigned int i, len;
	struct gap g;
	gva_t a, b;

	gap_init(&g, variant->gpa, 1);
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		for (len = 1; len <= 8; len *= 2) {
			a = g.gva + offsets[i];
			b = g.gva + PAGE_SIZE + PAGE_SIZE - len - offsets[i];
			vcpu_do_read(g.vcpu[0], a, len);
			vcpu_do_write(g.vcpu[0], b, len);
			vcpu_do_write(g.vcpu[0], a, len);
			vcpu_do_read(g.vcpu[0], b, len);
		}
	}
	check_sptes_created(g.vm, 2);
	kvm_vm_free(g.vm);
}

KVM_TEST_F(gap, read_modify_write_exits_twice)
{
	struct guest_op op = {};
	struct gap g;

	gap_init(&g, variant->gpa, 1);
	for_each_rmw_insn(op.insn) {
		for (op.len = 1; op.len <= 8; op.len *= 2) {
			op.match = false;
			op.gva = g.gva + 0x123 * op.len;
			vcpu_do_op(g.vcpu[0], &op);
			op.match = true;
			op.gva = g.gva + PAGE_SIZE + 0x10 * op.len;
			vcpu_do_op(g.vcpu[0], &op);
		}
	}
	op = (struct guest_op){ .insn = INSN_ADD_READ, .len = 8, .gva = g.gva };
	vcpu_do_op(g.vcpu[0], &op);
	op = (struct guest_op){ .insn = INSN_PUSH, .len = 8, .gva = g.gva + 0x800 };
	vcpu_do_op(g.vcpu[0], &op);
	op.insn = INSN_ENTER;
	vcpu_do_op(g.vcpu[0], &op);
	kvm_vm_free(g.vm);
}

/* Each split of each access between two pages at @gva, in every instruction. */
static void cross_page(struct kvm_vcpu *vcpu, gva_t gva)
{
	struct guest_op op = {};
	unsigned int first;

	for (op.len = 2; op.len <= 8; op.len *= 2) {
		for (first = 1; first < op.len; first++) {
			op.gva = gva + PAGE_SIZE - first;
			for (op.insn = INSN_MOV_READ; op.insn <= INSN_ADD; op.insn++)
				vcpu_do_op(vcpu, &op);
			/* No LOCK: a split lock is a trap of its own. */
			op.insn = INSN_CMPXCHG;
			op.match = !op.match;
			vcpu_do_op(vcpu, &op);
		}
	}
	/* What ENTER pushes is in no operand of the emulator's. */
	op.len = 8;
	for (first = 1; first < op.len; first++) {
		op.gva = gva + PAGE_SIZE - first;
		op.insn = INSN_PUSH;
		vcpu_do_op(vcpu, &op);
		op.insn = INSN_ENTER;
		vcpu_do_op(vcpu, &op);
	}
}

/* 16 bytes are two exits, and three or four across a page's end. */
static void move_16_bytes(struct kvm_vcpu *vcpu, gva_t pages, gva_t other)
{
	static const unsigned int offsets[] = {
		0, 8, 0xff0, 0xff1, 0xff7, 0xff8, 0xff9, 0xfff, 0x1000,
	};
	struct guest_op op = { .insn = INSN_MOVUPS, .len = 16 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		op.src = pages + offsets[i];
		op.gva = other + 8;
		vcpu_do_op(vcpu, &op);
		op.src = other + 8;
		op.gva = pages + offsets[i];
		vcpu_do_op(vcpu, &op);
	}
}

KVM_TEST_F(gap, crossing_into_the_next_page_exits_for_each)
{
	struct gap g;

	gap_init(&g, variant->gpa, 1);
	cross_page(g.vcpu[0], g.gva);
	/* The other half's gpa has nothing to do with the first one's. */
	cross_page(g.vcpu[0], g.swapped);
	move_16_bytes(g.vcpu[0], g.gva, g.ram);
	move_16_bytes(g.vcpu[0], g.swapped, g.gva + 0x100);
	kvm_vm_free(g.vm);
}

static void string_ops(struct gap *g, unsigned int len, bool backwards)
{
	struct guest_op op = { .len = len, .backwards = backwards, .count = 5 };
	/* Gap and RAM; both sides cross a page's end in the middle. */
	const gva_t gap = g->gva + PAGE_SIZE + (backwards ? 2 : -3) * (int)len;
	const gva_t mem = g->ram + PAGE_SIZE + (backwards ? 3 : -2) * (int)len;

	op.insn = INSN_REP_MOVS;
	op.src = gap;
	op.gva = mem;
	vcpu_do_op(g->vcpu[0], &op);
	op.src = mem;
	op.gva = gap;
	vcpu_do_op(g->vcpu[0], &op);
	/* From gap to gap, where elements themselves cross into the next page. */
	op.src = gap + 1;
	op.gva = g->swapped + (backwards ? PAGE_SIZE : 0) + 0x80;
	vcpu_do_op(g->vcpu[0], &op);

	op.insn = INSN_REP_STOS;
	op.gva = gap + 1;
	vcpu_do_op(g->vcpu[0], &op);
	op.insn = INSN_REP_LODS;
	op.src = gap + 1;
	vcpu_do_op(g->vcpu[0], &op);
}

KVM_TEST_F(gap, string_moves_exit_for_each_element)
{
	unsigned int len;
	struct gap g;

	gap_init(&g, variant->gpa, 1);
	for (len = 1; len <= 8; len *= 2) {
		string_ops(&g, len, false);
		string_ops(&g, len, true);
	}
	kvm_vm_free(g.vm);
}

/* ---- instruction fetch ---- */

/* There is nothing to execute, so KVM must say so, with RIP where it failed. */
static void expect_fetch_failure(struct kvm_vcpu *vcpu, gva_t gva, gva_t rdi)
{
	struct kvm_run *run = vcpu->run;
	struct kvm_regs regs;

	test_step("vCPU %u: fetch at gpa 0x%lx", vcpu->id, addr_gva2gpa(vcpu->vm, gva));
	vcpu_order_op(vcpu, &(struct guest_op){
		.insn = INSN_CALL, .gva = gva, .src = rdi });
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, !_vcpu_run(vcpu),
			   "KVM_RUN: errno %d (%s)", errno, strerror(errno));
	if (run->exit_reason != KVM_EXIT_INTERNAL_ERROR ||
	    run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION)
		vcpu_unexpected_exit(vcpu, "KVM_EXIT_INTERNAL_ERROR EMULATION");
	vcpu_regs_get(vcpu, &regs);
	TEST_ASSERT(regs.rip == gva, "rip is 0x%llx after a fetch from 0x%lx",
		    regs.rip, gva);
}

/* KVM also queues an exception that the guest would take on its way on. */
static void drop_exception(struct kvm_vcpu *vcpu)
{
	struct kvm_vcpu_events events;

	vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, &events);
	events.exception.injected = 0;
	events.exception.pending = 0;
	vcpu_ioctl(vcpu, KVM_SET_VCPU_EVENTS, &events);
}

/* Returns from the call in the guest's stead. */
static void return_from_call(struct kvm_vcpu *vcpu)
{
	struct kvm_regs regs;

	drop_exception(vcpu);
	vcpu_regs_get(vcpu, &regs);
	regs.rip = *(uint64_t *)addr_gva2hva(vcpu->vm, regs.rsp);
	regs.rsp += 8;
	vcpu_regs_set(vcpu, &regs);
	vcpu_expect_sync(vcpu, INSN_CALL);
}

#define RET	0xc3

KVM_TEST_F(gap, fetch_fails_until_there_is_code)
{
	struct kvm_vcpu *vcpu;
	struct gap g;

	gap_init(&g, variant->gpa, 1);
	vcpu = g.vcpu[0];

	/* On first touch, and after reads that left an MMIO SPTE. */
	expect_fetch_failure(vcpu, g.gva, 0);
	return_from_call(vcpu);
	vcpu_do_read(vcpu, g.gva, 4);
	vcpu_do_read(vcpu, g.gva + PAGE_SIZE, 4);
	expect_fetch_failure(vcpu, g.gva + 0x123, 0);
	return_from_call(vcpu);
	vcpu_do_read(vcpu, g.gva, 4);
	expect_fetch_failure(vcpu, g.gva + PAGE_SIZE, 0);

	/* The vCPU still waits there; now it finds a RET. */
	breadcrumb("put code at gpa 0x%lx", g.gpa + PAGE_SIZE);
	vm_userspace_mem_region_add(g.vm, VM_MEM_SRC_ANONYMOUS, g.gpa + PAGE_SIZE,
				    GAP_SLOT, 1, 0);
	*(uint8_t *)addr_gpa2hva(g.vm, g.gpa + PAGE_SIZE) = RET;
	drop_exception(vcpu);
	vcpu_expect_sync(vcpu, INSN_CALL);

	vm_mem_region_delete(g.vm, GAP_SLOT);
	expect_fetch_failure(vcpu, g.gva + PAGE_SIZE, 0);
	return_from_call(vcpu);
	vcpu_do_write(vcpu, g.gva, 8);
	vcpu_do_write(vcpu, g.gva + PAGE_SIZE, 8);
	kvm_vm_free(g.vm);
}

/* ---- where a slot meets a gap ---- */

KVM_FIXTURE(edge);
FIXTURE_VARIANT(edge) {
	gpa_t first, second;	/* pages; one is RAM, the other a gap */
	bool ram_first;
};

#define EDGE(name, a, b, ram)	\
	FIXTURE_VARIANT_ADD(edge, name) { .first = a, .second = b, .ram_first = ram }

EDGE(ram_below_640k, 0x9f000, 0xa0000, true);
EDGE(ram_from_1m, SZ_1M + RAM_SIZE - PAGE_SIZE, SZ_1M + RAM_SIZE, true);
EDGE(ram_before_pci_hole, 0xc0000000 - PAGE_SIZE, 0xc0000000, true);
EDGE(ram_above_4g, SZ_4G + RAM_SIZE - PAGE_SIZE, SZ_4G + RAM_SIZE, true);
EDGE(ram_then_top, SZ_1M, TOP, true);
EDGE(gap_before_ram, 0xa0000 - RAM_SIZE - PAGE_SIZE, 0xa0000 - RAM_SIZE, false);
EDGE(gap_before_1m, SZ_1M - PAGE_SIZE, SZ_1M, false);
EDGE(gap_before_4g, SZ_4G - PAGE_SIZE, SZ_4G, false);
EDGE(top_then_ram, TOP, SZ_4G, false);

static void edge_init(struct gap *g, gpa_t first, gpa_t second)
{
	g->vm = create_pc(1, g->vcpu);
	first = resolve(g->vm, first);
	second = resolve(g->vm, second);
	g->gva = map_pair(g->vm, first, second);
	g->ram = vm_map_gpa(g->vm, ram[MIDDLE_SLOT] + PAGE_SIZE, 2 * PAGE_SIZE);
	breadcrumb("touch edge between gpa 0x%lx and 0x%lx", first, second);
}

KVM_TEST_F(edge, accesses_that_cross_it_exit_for_their_part)
{
	struct guest_op op = { .insn = INSN_REP_MOVS, .count = 6 };
	struct gap g;
	int i;

	edge_init(&g, variant->first, variant->second);
	cross_page(g.vcpu[0], g.gva);
	move_16_bytes(g.vcpu[0], g.gva, g.ram);
	for (op.len = 1; op.len <= 8; op.len *= 2) {
		for (i = 0; i < 4; i++) {
			gva_t at = g.gva + PAGE_SIZE + (i & 1 ? 3 : -3) * (int)op.len + 1;

			op.backwards = i & 1;
			op.src = i & 2 ? at : g.ram + PAGE_SIZE;
			op.gva = i & 2 ? g.ram + PAGE_SIZE : at;
			vcpu_do_op(g.vcpu[0], &op);
		}
	}
	kvm_vm_free(g.vm);
}

/* The last byte of one side and the first of the other; and the page after it. */
KVM_TEST_F(edge, accesses_up_to_it_stay_on_their_side)
{
	unsigned int len, i;
	struct gap g;

	edge_init(&g, variant->first, variant->second);
	for (i = 0; i < 3; i++) {
		for (len = 1; len <= 8; len *= 2) {
			vcpu_do_write(g.vcpu[0], g.gva + PAGE_SIZE - len, len);
			vcpu_do_write(g.vcpu[0], g.gva + PAGE_SIZE, len);
			vcpu_do_read(g.vcpu[0], g.gva + PAGE_SIZE - len, len);
			vcpu_do_read(g.vcpu[0], g.gva + PAGE_SIZE, len);
		}
	}
	kvm_vm_free(g.vm);
}

/* Neither the CPU nor KVM's emulator may look beyond the instruction's end. */
KVM_TEST_F(edge, code_runs_up_to_it)
{
	/* mov (%rdi), %al; ret */
	static const uint8_t code[] = { 0x8a, 0x07, RET };
	struct kvm_vcpu *vcpu;
	struct gap g;
	gva_t gap;

	edge_init(&g, variant->first, variant->second);
	vcpu = g.vcpu[0];
	if (!variant->ram_first) {
		expect_fetch_failure(vcpu, g.gva + PAGE_SIZE - 1, 0);
		kvm_vm_free(g.vm);
		return;
	}
	gap = g.gva + PAGE_SIZE;
	memcpy(addr_gva2hva(g.vm, gap - sizeof(code)), code, sizeof(code));
	vcpu_order_op(vcpu, &(struct guest_op){
		.insn = INSN_CALL, .gva = gap - sizeof(code), .src = gap + 8 });
	vcpu_expect_mmio_read(vcpu, addr_gva2gpa(g.vm, gap + 8), 1, 0x5a);
	vcpu_expect_sync(vcpu, INSN_CALL);

	/* The first byte of this one is the last of the RAM. */
	*(uint8_t *)addr_gva2hva(g.vm, gap - 1) = code[0];
	expect_fetch_failure(vcpu, gap - 1, g.ram);
	return_from_call(vcpu);
	vcpu_do_read(vcpu, gap, 8);
	kvm_vm_free(g.vm);
}

/* ---- the gap's slot comes and goes ---- */

static void fill_ram(struct kvm_vm *vm, gpa_t gpa, size_t size)
{
	uint64_t *word = addr_gpa2hva(vm, gpa), i;

	for (i = 0; i < size / 8; i++)
		word[i] = test_random();
}

/* Both pages in turns, with each vCPU; what exits, the memslots say. */
static void touch_in_turns(struct gap *g, gva_t first, gva_t second)
{
	unsigned int i, len;

	for (i = 0; i < 2; i++) {
		for (len = 1; len <= 8; len *= 2) {
			vcpu_do_read(g->vcpu[i], first + 8 * len, len);
			vcpu_do_read(g->vcpu[i], second + 8 * len, len);
			vcpu_do_write(g->vcpu[i], first + 8 * len, len);
			vcpu_do_write(g->vcpu[i], second + 8 * len, len);
		}
	}
}

KVM_TEST_F(gap, is_ram_while_it_has_a_slot)
{
	gva_t a, b;
	struct gap g;
	int round;

	gap_init(&g, variant->gpa, 2);
	for (round = 0; round < 8; round++) {
		/* The vCPU's cached MMIO page becomes RAM; or the other one. */
		a = g.gva + (round & 1 ? PAGE_SIZE : 0);
		b = g.gva + (round & 1 ? 0 : PAGE_SIZE);
		touch_in_turns(&g, a, b);

		breadcrumb("round %d: add a slot at gpa 0x%lx", round, g.gpa);
		vm_userspace_mem_region_add(g.vm, VM_MEM_SRC_ANONYMOUS,
					    g.gpa + (round & 2 ? PAGE_SIZE : 0),
					    GAP_SLOT, round & 4 && !(round & 2) ? 2 : 1, 0);
		fill_ram(g.vm, vm_get_mem_region(g.vm, GAP_SLOT)->gpa,
			 vm_get_mem_region(g.vm, GAP_SLOT)->size);
		touch_in_turns(&g, b, a);

		breadcrumb("round %d: delete it", round);
		vm_mem_region_delete(g.vm, GAP_SLOT);
		touch_in_turns(&g, b, a);
	}
	kvm_vm_free(g.vm);
}

/* What has been RAM from the start, and touched, is a gap once it is deleted. */
KVM_TEST(deleted_ram_is_a_gap)
{
	struct gap g;
	int slot;

	gap_init(&g, 0xe0000000, 2);
	for (slot = LOW_SLOT; slot < NR_SLOTS; slot++) {
		gva_t page = vm_map_gpa(g.vm, ram[slot], RAM_SIZE);

		touch_in_turns(&g, page, page + RAM_SIZE - PAGE_SIZE);
		breadcrumb("delete slot %d at gpa 0x%lx", slot, ram[slot]);
		vm_mem_region_delete(g.vm, slot);
		touch_in_turns(&g, page, page + RAM_SIZE - PAGE_SIZE);
		touch_in_turns(&g, page + PAGE_SIZE, g.gva);
	}
	kvm_vm_free(g.vm);
}

KVM_TEST(rom_reads_as_ram_and_writes_exit,
	 .caps = NEED_CAPS(NEED_CAP(KVM_CAP_READONLY_MEM)))
{
	struct guest_op op = { .match = true };
	struct gap g;
	gva_t rom;

	gap_init(&g, 0xe0000000, 2);
	vm_userspace_mem_region_add(g.vm, VM_MEM_SRC_ANONYMOUS, 0xfffe0000, GAP_SLOT,
				    2, KVM_MEM_READONLY);
	fill_ram(g.vm, 0xfffe0000, 2 * PAGE_SIZE);
	rom = vm_map_gpa(g.vm, 0xfffe0000, 2 * PAGE_SIZE);
	touch_in_turns(&g, rom, g.gva);
	touch_in_turns(&g, rom, rom + PAGE_SIZE);
	cross_page(g.vcpu[0], rom);
	for_each_rmw_insn(op.insn) {
		for (op.len = 1; op.len <= 8; op.len *= 2) {
			op.gva = rom + 0x40 * op.len;
			vcpu_do_op(g.vcpu[1], &op);
		}
	}
	kvm_vm_free(g.vm);
}

KVM_TEST_MAIN()
