// SPDX-License-Identifier: GPL-2.0-only
/*
 * The APICs' pages: gaps that KVM answers for, as long as it does.
 *
 * What the guest accesses there never exits, through all generations of MMIO SPTEs,
 * and its neighbours always do. When the guest moves the page, it is at the new
 * place and nowhere else; when it turns its APIC off, or to x2APIC mode, the page
 * reads as all ones, or exits if user space wants that; memory of the gpa next to
 * it is memory.
 *
 * Bugs of this class: a page taken for the APIC's by its gpa only, registers that
 * can be reached in a mode that has none there, something remembered of the place
 * where it was.
 */
#include "kvm_test_harness.h"

KVM_TEST_SUITE(apic_page_test,
	.fixes = FIXES("d1766202779e x86/kvm/lapic: always disable MMIO interface in x2APIC mode",
		       "a2c118bfab8b KVM: Fix bounds checking in ioapic indirect register reads (CVE-2013-1798)"));

#define APIC_GPA	0xfee00000UL
#define MOVED_GPA	0xd0000000UL
#define UPDATED_GPA	0xe0000000UL
#define UPDATED_SLOT	1
#define RAM_SLOT	2

#define APIC_ID		0x20
#define APIC_VERSION	0x30
#define APIC_TPR	0x80
#define APIC_SPIV	0xf0

#define APIC_BASE_BSP		BIT(8)

/* ---- guest ---- */

enum { OP_READ, OP_WRITE, OP_SET_BASE, OP_READ_16 };

static struct {
	uint64_t op;
	gva_t gva;
	uint64_t value;
} guest_order;

static void guest_take_orders(void)
{
	for (;;) {
		uint64_t value = 0, high = 0;

		switch (guest_order.op) {
		case OP_READ_16:
			asm volatile("movups (%2), %%xmm0\n\t"
				     "movq %%xmm0, %0\n\t"
				     "psrldq $8, %%xmm0\n\t"
				     "movq %%xmm0, %1"
				     : "=r"(value), "=r"(high) : "r"(guest_order.gva)
				     : "memory");
			break;
		case OP_READ: value = guest_read32(guest_order.gva); break;
		case OP_WRITE: guest_write32(guest_order.gva, guest_order.value); break;
		case OP_SET_BASE: wrmsr(MSR_APIC_BASE, guest_order.value); break;
		}
		GUEST_SYNC_ARGS(value, high, 0, 0, 0);
	}
}

/* ---- host ---- */

struct apic {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

/* A page, and its neighbours, at gvas that are gpas. */
static void map_around(struct kvm_vm *vm, gpa_t gpa)
{
	virt_map(vm, gpa - PAGE_SIZE, gpa - PAGE_SIZE, 3);
}

static void apic_init(struct apic *a)
{
	a->vm = vm_create_with_one_vcpu(&a->vcpu, guest_take_orders);
	map_around(a->vm, APIC_GPA);
	map_around(a->vm, MOVED_GPA);
	virt_pg_map(a->vm, UPDATED_GPA, UPDATED_GPA);
}

static void order(struct apic *a, uint64_t op, gva_t gva, uint64_t value)
{
	static const char *const names[] = {
		"read of", "write to", "APIC base:", "read of 16 bytes at",
	};

	test_step("%s 0x%lx, value 0x%lx", names[op], gva, value);
	guest_order.op = op;
	guest_order.gva = gva;
	guest_order.value = value;
	sync_global_to_guest(a->vm, guest_order);
}

static uint64_t finish(struct apic *a)
{
	struct ucall uc;

	vcpu_run_to_sync(a->vcpu, &uc);
	return uc.args[0];
}

static void set_base(struct apic *a, uint64_t base)
{
	order(a, OP_SET_BASE, base, base);
	finish(a);
}

static uint32_t read_does_not_exit(struct apic *a, gpa_t gpa)
{
	order(a, OP_READ, gpa, 0);
	return finish(a);
}

static void write_does_not_exit(struct apic *a, gpa_t gpa, uint32_t value)
{
	order(a, OP_WRITE, gpa, value);
	finish(a);
}

static void exits(struct apic *a, gpa_t gpa)
{
	uint32_t value = test_random();

	order(a, OP_READ, gpa, 0);
	vcpu_expect_mmio_read(a->vcpu, gpa, 4, value);
	TEST_ASSERT_EQ(finish(a), (uint64_t)value);
	order(a, OP_WRITE, gpa, value);
	vcpu_expect_mmio_write(a->vcpu, gpa, 4, value);
	finish(a);
}

static uint32_t apic_register(struct apic *a, unsigned int reg)
{
	struct kvm_lapic_state state;

	vcpu_ioctl(a->vcpu, KVM_GET_LAPIC, &state);
	return *(uint32_t *)&state.regs[reg];
}

/* The registers are in the page at @gpa, and there is none beside it. */
static void expect_apic_at(struct apic *a, gpa_t gpa)
{
	static const unsigned int regs[] = { APIC_VERSION, APIC_TPR, APIC_SPIV };
	uint32_t tpr = test_random() & 0xf0, got, want;
	size_t i;

	write_does_not_exit(a, gpa + APIC_TPR, tpr);
	exits(a, gpa - PAGE_SIZE + APIC_TPR);
	exits(a, gpa + PAGE_SIZE + APIC_TPR);
	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		want = apic_register(a, regs[i]);
		got = read_does_not_exit(a, gpa + regs[i]);
		TEST_ASSERT(got == want,
			    "register 0x%x of the local APIC at gpa 0x%lx is 0x%x, and the guest reads 0x%x",
			    regs[i], gpa, want, got);
	}
	TEST_ASSERT_EQ(apic_register(a, APIC_TPR), tpr);
	write_does_not_exit(a, gpa + APIC_TPR, 0);
}

KVM_TEST(answers_through_all_generations)
{
	struct backing_mem mem;
	struct apic a;
	unsigned int i;

	apic_init(&a);
	backing_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, PAGE_SIZE, UPDATED_GPA);
	for (i = 0; i < 160; i++) {
		expect_apic_at(&a, APIC_GPA);
		/* Then the vCPU remembers another page, and SPTEs tell of the APIC's. */
		exits(&a, MOVED_GPA);
		vm_mem_region_add_backing(a.vm, &mem, mem.hva, UPDATED_GPA, UPDATED_SLOT, 1, 0);
		read_does_not_exit(&a, APIC_GPA + APIC_VERSION);
		vm_mem_region_delete(a.vm, UPDATED_SLOT);
	}
	kvm_vm_free(a.vm);
	backing_mem_free(&mem);
}

KVM_TEST(is_where_the_guest_has_moved_it)
{
	struct apic a;
	unsigned int i;

	apic_init(&a);
	for (i = 0; i < 4; i++) {
		expect_apic_at(&a, APIC_GPA);
		exits(&a, MOVED_GPA + APIC_TPR);
		set_base(&a, MOVED_GPA | APIC_BASE_ENABLE | APIC_BASE_BSP);
		exits(&a, APIC_GPA + APIC_TPR);
		expect_apic_at(&a, MOVED_GPA);
		exits(&a, APIC_GPA + APIC_TPR);
		set_base(&a, APIC_GPA | APIC_BASE_ENABLE | APIC_BASE_BSP);
	}
	kvm_vm_free(a.vm);
}

/* There is nothing to read, and nothing to write. */
static void expect_no_registers(struct apic *a, bool quirk, const char *mode)
{
	uint32_t tpr = apic_register(a, APIC_TPR), got;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		if (!quirk) {
			exits(a, APIC_GPA + APIC_TPR);
			exits(a, MOVED_GPA);
			continue;
		}
		got = read_does_not_exit(a, APIC_GPA + APIC_VERSION);
		TEST_ASSERT(got == 0xffffffff,
			    "%s: the guest reads 0x%x from the local APIC's page, want 0xffffffff",
			    mode, got);
		write_does_not_exit(a, APIC_GPA + APIC_TPR, tpr ^ 0x70);
		exits(a, MOVED_GPA);
	}
	TEST_ASSERT(apic_register(a, APIC_TPR) == tpr,
		    "%s: TPR was 0x%x, a write to the local APIC's page has made it 0x%x", mode,
		    tpr, apic_register(a, APIC_TPR));
}

KVM_FIXTURE(hole);
FIXTURE_VARIANT(hole) {
	bool quirk;
};

FIXTURE_VARIANT_ADD(hole, reads_all_ones) { true };
FIXTURE_VARIANT_ADD(hole, exits) { false };

KVM_TEST_F(hole, where_the_apic_has_no_page)
{
	struct apic a;
	unsigned int i;

	__TEST_REQUIRE(kvm_has_cap(KVM_CAP_DISABLE_QUIRKS),
		       "needs KVM_CAP_DISABLE_QUIRKS, since 4.9");
	apic_init(&a);
	if (!variant->quirk)
		vm_enable_cap(a.vm, KVM_CAP_DISABLE_QUIRKS, KVM_X86_QUIRK_LAPIC_MMIO_HOLE);
	for (i = 0; i < 2; i++) {
		expect_apic_at(&a, APIC_GPA);
		set_base(&a, APIC_GPA | APIC_BASE_BSP | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
		expect_no_registers(&a, variant->quirk, "x2APIC");
		set_base(&a, APIC_GPA | APIC_BASE_BSP);
		expect_no_registers(&a, variant->quirk, "APIC off");
		set_base(&a, APIC_GPA | APIC_BASE_BSP | APIC_BASE_ENABLE);
	}
	kvm_vm_free(a.vm);
}

/* ---- the I/O APIC: an index, and what it stands for ---- */

#define IOAPIC_GPA	0xfec00000UL
#define IOAPIC_SELECT	0x00
#define IOAPIC_WINDOW	0x10
#define IOAPIC_PINS	24
#define IOAPIC_END	0x100	/* KVM's is no longer */

KVM_TEST(ioapic_has_no_more_pins)
{
	unsigned int reg, round;
	struct apic a;
	uint32_t got;

	apic_init(&a);
	map_around(a.vm, IOAPIC_GPA);
	for (round = 0; round < 2; round++) {
		for (reg = 0x10 + 2 * IOAPIC_PINS; reg < 0x100; reg++) {
			write_does_not_exit(&a, IOAPIC_GPA + IOAPIC_SELECT, reg);
			/* There is nothing to be written to. */
			write_does_not_exit(&a, IOAPIC_GPA + IOAPIC_WINDOW, 0x10000 | reg);
			got = read_does_not_exit(&a, IOAPIC_GPA + IOAPIC_WINDOW);
			TEST_ASSERT(got == 0xffffffff,
				    "register 0x%x of the I/O APIC, which has %u pins, reads 0x%x, want all ones",
				    reg, IOAPIC_PINS, got);
		}
		write_does_not_exit(&a, IOAPIC_GPA + IOAPIC_SELECT, 1);
		got = read_does_not_exit(&a, IOAPIC_GPA + IOAPIC_WINDOW);
		TEST_ASSERT_EQ(got >> 16, IOAPIC_PINS - 1U);
		exits(&a, IOAPIC_GPA - PAGE_SIZE + IOAPIC_WINDOW);
		exits(&a, IOAPIC_GPA + PAGE_SIZE + IOAPIC_WINDOW);
		exits(&a, IOAPIC_GPA + IOAPIC_END);
	}
	kvm_vm_free(a.vm);
}

/* KVM asks its devices for each 8 bytes; those that none has are user space's. */
KVM_TEST(wide_reads_of_the_ioapic)
{
	const gpa_t gpa = IOAPIC_GPA + IOAPIC_END - 8;
	uint64_t value;
	struct apic a;
	struct ucall uc;
	unsigned int i;

	apic_init(&a);
	map_around(a.vm, IOAPIC_GPA);
	for (i = 0; i < 3; i++) {
		value = test_random() | 1;
		order(&a, OP_READ_16, gpa, 0);
		vcpu_expect_mmio_read(a.vcpu, gpa + 8, 8, value);
		vcpu_run_to_sync(a.vcpu, &uc);
		TEST_ASSERT(uc.args[0] == 0 && uc.args[1] == value,
			    "16 bytes at gpa 0x%lx, where the I/O APIC has zeroes up to 0x%lx, and user space 0x%lx then: the guest reads 0x%lx and 0x%lx",
			    gpa, gpa + 8, value, uc.args[0], uc.args[1]);
		exits(&a, IOAPIC_GPA + PAGE_SIZE);

		/* All of it is the I/O APIC's: nothing, then the register. */
		write_does_not_exit(&a, IOAPIC_GPA + IOAPIC_SELECT, 1);
		value = read_does_not_exit(&a, IOAPIC_GPA + IOAPIC_WINDOW);
		order(&a, OP_READ_16, IOAPIC_GPA + IOAPIC_WINDOW - 8, 0);
		vcpu_run_to_sync(a.vcpu, &uc);
		TEST_ASSERT(uc.args[0] == 0 && uc.args[1] == value,
			    "16 bytes at gpa 0x%lx, where the I/O APIC has 0x%lx in the second half: the guest reads 0x%lx and 0x%lx",
			    IOAPIC_GPA + IOAPIC_WINDOW - 8, value, uc.args[0], uc.args[1]);
	}
	kvm_vm_free(a.vm);
}

KVM_TEST(memory_next_to_it_is_memory)
{
	struct apic a;
	unsigned int i, n;

	apic_init(&a);
	for (i = 0; i < 4; i++) {
		gpa_t gpa = i & 1 ? APIC_GPA + PAGE_SIZE : APIC_GPA - PAGE_SIZE;

		expect_apic_at(&a, APIC_GPA);
		vm_userspace_mem_region_add(a.vm, VM_MEM_SRC_ANONYMOUS, gpa, RAM_SLOT, 1, 0);
		for (n = 0; n < 3; n++) {
			uint32_t value = test_random(), *word = addr_gpa2hva(a.vm, gpa + APIC_TPR);

			write_does_not_exit(&a, gpa + APIC_TPR, value);
			TEST_ASSERT_EQ(*word, value);
			read_does_not_exit(&a, APIC_GPA + APIC_VERSION);
			TEST_ASSERT_EQ(read_does_not_exit(&a, gpa + APIC_TPR), value);
		}
		vm_mem_region_delete(a.vm, RAM_SLOT);
	}
	kvm_vm_free(a.vm);
}

KVM_TEST_MAIN()
