// SPDX-License-Identifier: GPL-2.0-only
/*
 * With kvm.force_emulation_prefix an instruction behind that prefix is KVM's to
 * execute. What the guest's page tables do not allow the CPU they do not allow KVM
 * either, in user mode and in the kernel: the same exception, error code and CR2, and
 * memory that nobody may write stays as it is.
 *
 * What breaks this: an access of the emulator's that is made with the kernel's rights
 * where the guest is in user mode, or with no check at all; an error code or an
 * address that is another fault's.
 */
#include "kvm_test_harness.h"
#include "processor.h"

KVM_TEST_SUITE(forced_emulation_test,
	.needs = { .privileged = true },
	.fixes = FIXES("3c9fa24ca7c9 kvm: x86: use correct privilege level for sgdt/sidt/fxsave/fxrstor access"));

#define DATA_GVA	0x500000000000UL

/* ---- guest ---- */

#define FEP	"ud2\n\t.ascii \"kvm\"\n\t"

/* At RDI, or from RSI to RDI. Those that load and store are first. */
#define FOR_EACH_RMW(X)							\
	X(add_store, "addq %%rax, (%%rdi)")				\
	X(lock_xadd, "lock xaddq %%rax, (%%rdi)")			\
	X(xchg, "xchgq %%rax, (%%rdi)")					\
	X(cmpxchg, "lock cmpxchgq %%rcx, (%%rdi)")			\
	X(cmpxchg8b, "lock cmpxchg8b (%%rdi)")				\
	X(bts, "lock btsq $5, (%%rdi)")
#define FOR_EACH_INSN(X)						\
	FOR_EACH_RMW(X)							\
	X(mov_store, "movq %%rax, (%%rdi)")				\
	X(mov_load, "movq (%%rdi), %%rax")				\
	X(movzx, "movzwl (%%rdi), %%eax")				\
	X(movnti, "movnti %%rax, (%%rdi)")				\
	X(add_load, "addq (%%rdi), %%rax")				\
	X(setc, "setc (%%rdi)")						\
	X(stos, "stosq")						\
	X(lods, "lodsq")						\
	X(movs, "movsq")						\
	X(scas, "scasq")						\
	X(cmps, "cmpsq")						\
	X(sgdt, "sgdt (%%rdi)")						\
	X(sidt, "sidt (%%rdi)")						\
	X(sldt, "sldt (%%rdi)")						\
	X(str, "str (%%rdi)")						\
	X(smsw, "smsw (%%rdi)")						\
	X(fnstcw, "fnstcw (%%rdi)")					\
	X(fnstsw, "fnstsw (%%rdi)")

#define NUMBER(name, insn)	INSN_##name,
#define NAME(name, insn)	#name,
#define EXEC(prefix, insn)						\
	asm volatile("movabs %[magic], %%r9\n\t"			\
		     "lea 1f(%%rip), %%r10\n\t"				\
		     "lea 2f(%%rip), %%r11\n\t"				\
		     prefix "1: " insn __KVM_ASM_SAFE_END		\
		     : [vector] "=&q"(vector), [ec] "=&r"(ec), "+D"(rdi), \
		       "+S"(rsi), "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx) \
		     : [magic] "i"(KVM_EXCEPTION_MAGIC)			\
		     : "r9", "r10", "r11", "memory", "cc")
#define CASE(name, insn)						\
	case INSN_##name:						\
		if (order.fep)						\
			EXEC(FEP, insn);				\
		else							\
			EXEC("", insn);					\
		break;

enum { FOR_EACH_INSN(NUMBER) NR_INSNS, FIRST_NO_RMW = INSN_mov_store };
static const char *const insn_names[] = { FOR_EACH_INSN(NAME) };

static struct {
	uint64_t insn, fep;
	gva_t gva;
} order;

static void guest_takes_orders(void)
{
	uint64_t rdi, rsi, rax, rbx, rcx, rdx, ec;
	uint8_t vector;

	for (;;) {
		rdi = rsi = order.gva;
		rax = rbx = rcx = rdx = 0;
		vector = 0;
		ec = 0;
		switch (order.insn) {
		FOR_EACH_INSN(CASE)
		}
		GUEST_SYNC_ARGS(vector, ec, 0, 0, 0);
	}
}

/* ---- host ---- */

struct outcome {
	uint64_t vector, error_code, cr2;
	bool written;
};

static const struct {
	const char *name;
	uint64_t rights;
} pages[] = {
	{ "a page that all may write", PTE_PRESENT_MASK | PTE_WRITABLE_MASK | PTE_USER_MASK },
	{ "a page that all may read", PTE_PRESENT_MASK | PTE_USER_MASK },
	{ "the kernel's page", PTE_PRESENT_MASK | PTE_WRITABLE_MASK },
	{ "the kernel's read-only page", PTE_PRESENT_MASK },
	{ "no page", PTE_WRITABLE_MASK | PTE_USER_MASK },
};

static bool all_zero(const uint64_t *word)
{
	size_t i;

	for (i = 0; i < PAGE_SIZE / sizeof(*word); i++)
		if (word[i])
			return false;
	return true;
}

static void execute(struct kvm_vcpu *vcpu, void *hva, bool fep, struct outcome *out)
{
	struct kvm_sregs sregs;
	struct ucall uc;

	memset(hva, 0, PAGE_SIZE);
	order.fep = fep;
	sync_global_to_guest(vcpu->vm, order);
	vcpu_run_to_sync(vcpu, &uc);
	vcpu_sregs_get(vcpu, &sregs);
	*out = (struct outcome){
		.vector = uc.args[0], .error_code = uc.args[0] ? uc.args[1] : 0,
		.cr2 = uc.args[0] == PF_VECTOR ? sregs.cr2 : 0,
		.written = !all_zero(hva),
	};
}

/* QEMU's TCG faults on the load of an instruction that stores as well. */
static void correct_error_code(struct outcome *by_cpu, unsigned int insn)
{
	if (by_cpu->vector == PF_VECTOR && insn < FIRST_NO_RMW && host_may_be_tcg())
		by_cpu->error_code |= PFERR_WRITE_MASK;
}

FIXTURE_VARIANT(cpl) {
	bool user, no_wp, smap, ac;
};
KVM_FIXTURE(cpl)
FIXTURE_VARIANT_ADD(cpl, kernel) { };
FIXTURE_VARIANT_ADD(cpl, kernel_without_wp) { .no_wp = true };
FIXTURE_VARIANT_ADD(cpl, kernel_with_smap) { .smap = true };
FIXTURE_VARIANT_ADD(cpl, kernel_with_smap_and_ac) { .smap = true, .ac = true };
FIXTURE_VARIANT_ADD(cpl, user) { .user = true };

static void set_registers(struct kvm_vcpu *vcpu, const FIXTURE_VARIANT(cpl) *v)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	vcpu_sregs_get(vcpu, &sregs);
	vcpu_regs_get(vcpu, &regs);
	if (v->no_wp)
		sregs.cr0 &= ~X86_CR0_WP;
	if (v->smap)
		sregs.cr4 |= X86_CR4_SMAP;
	if (v->ac)
		regs.rflags |= X86_EFLAGS_AC;
	vcpu_sregs_set(vcpu, &sregs);
	vcpu_regs_set(vcpu, &regs);
}

static bool guest_has_smap(void)
{
	const struct kvm_cpuid_entry2 *e = get_cpuid_entry(kvm_get_supported_cpuid(), 7, 0);

	return e && e->ebx & BIT(20);
}

KVM_TEST_F(cpl, has_the_rights_of_the_cpu)
{
	struct outcome want, got;
	struct kvm_vcpu *vcpu;
	unsigned int i, insn;
	struct kvm_vm *vm;
	uint64_t *pte;
	int level;
	gpa_t gpa;

	__TEST_REQUIRE(!variant->smap || guest_has_smap(), "needs SMAP in the guest's CPUID");
	kvm_set_module_param("kvm", "force_emulation_prefix", "1");
	vm = vm_create_with_one_vcpu(&vcpu, guest_takes_orders);
	gpa = vm_phy_pages_alloc(vm, 1);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		virt_pg_map(vm, DATA_GVA + i * PAGE_SIZE, gpa);
	if (variant->user)
		vcpu_enter_user_mode(vcpu);
	set_registers(vcpu, variant);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		pte = vm_get_pte(vm, DATA_GVA + i * PAGE_SIZE, &level);
		*pte = gpa | pages[i].rights;
	}
	for (insn = 0; insn < NR_INSNS; insn++) {
		for (i = 0; i < ARRAY_SIZE(pages); i++) {
			test_step("%s, %s, by the CPU and by KVM", insn_names[insn], pages[i].name);
			order.insn = insn;
			order.gva = DATA_GVA + i * PAGE_SIZE + 0x40;
			execute(vcpu, addr_gpa2hva(vm, gpa), false, &want);
			correct_error_code(&want, insn);
			execute(vcpu, addr_gpa2hva(vm, gpa), true, &got);
			TEST_ASSERT(got.vector == want.vector && got.error_code == want.error_code &&
				    got.cr2 == want.cr2 && got.written == want.written,
				    "%s, %s: by the CPU vector %lu, error code 0x%lx, CR2 0x%lx, memory was %swritten; by KVM vector %lu, error code 0x%lx, CR2 0x%lx, memory was %swritten",
				    insn_names[insn], pages[i].name, want.vector, want.error_code,
				    want.cr2, want.written ? "" : "not ", got.vector, got.error_code,
				    got.cr2, got.written ? "" : "not ");
		}
	}
	kvm_vm_free(vm);
}

/* ---- what the CPU reads for itself ---- */

#define LDT_SELECTOR	7	/* its first descriptor, RPL 3 */

static void guest_loads_segment(void)
{
	uint64_t rdi = 0, rsi = 0, rax, rbx = 0, rcx = 0, rdx = 0, ec;
	uint8_t vector;

	for (;;) {
		rax = LDT_SELECTOR;
		if (order.fep)
			EXEC(FEP, "movw %%ax, %%fs");
		else
			EXEC("", "movw %%ax, %%fs");
		GUEST_SYNC_ARGS(vector, ec, 0, 0, 0);
	}
}

static void set_user(struct kvm_vm *vm, gva_t gva, bool user)
{
	uint64_t *pte = vm_get_pte(vm, gva, NULL);

	*pte = user ? *pte | PTE_USER_MASK : *pte & ~PTE_USER_MASK;
}

static void use_ldt(struct kvm_vcpu *vcpu, gva_t ldt)
{
	struct kvm_sregs sregs;

	*(uint64_t *)addr_gva2hva(vcpu->vm, ldt) = 0x0000f30000000000ULL;
	vcpu_sregs_get(vcpu, &sregs);
	sregs.ldt = (struct kvm_segment){
		.base = ldt, .limit = 7, .selector = KERNEL_DS, .type = 2, .present = 1,
	};
	vcpu_sregs_set(vcpu, &sregs);
}

/* All that the delivery of an exception reads and writes. */
static void make_exceptions_the_kernels(struct kvm_vcpu *vcpu)
{
	struct kvm_sregs sregs;
	uint64_t rsp0;

	vcpu_sregs_get(vcpu, &sregs);
	memcpy(&rsp0, (char *)addr_gva2hva(vcpu->vm, sregs.tr.base) + 4, sizeof(rsp0));
	set_user(vcpu->vm, sregs.idt.base, false);
	set_user(vcpu->vm, sregs.gdt.base, false);
	set_user(vcpu->vm, sregs.tr.base, false);
	set_user(vcpu->vm, rsp0 - 8, false);
}

/*
 * A user's load of a segment register reads a descriptor table as the kernel does, but
 * EFLAGS.AC, which is the user's, does not count: SDM vol. 3 section 4.6.1.
 */
KVM_TEST(descriptors_are_read_by_the_kernels_rights)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;
	unsigned int i;
	gva_t ldt;

	__TEST_REQUIRE(guest_has_smap(), "needs SMAP in the guest's CPUID");
	kvm_set_module_param("kvm", "force_emulation_prefix", "1");
	vm = vm_create_with_one_vcpu(&vcpu, guest_loads_segment);
	ldt = vm_alloc(vm, PAGE_SIZE);
	vcpu_enter_user_mode(vcpu);
	make_exceptions_the_kernels(vcpu);
	set_registers(vcpu, &(FIXTURE_VARIANT(cpl)){ .smap = true, .ac = true });
	use_ldt(vcpu, ldt);
	for (i = 0; i < 8; i++) {
		const bool user = i & 1, fep = i & 2;
		const uint64_t want = user ? PF_VECTOR : 0, ec = user ? PFERR_PRESENT_MASK : 0;

		/*
		 * Seen in 6.1: shadow paging takes the CPU's fault for an access that AC
		 * allows, and lets it try again for ever.
		 */
		if (user && !fep && !kvm_is_tdp_enabled() && !kvm_test_option("known_bugs", 0))
			continue;
		test_step("the LDT is in %s page, by %s", user ? "a user's" : "the kernel's",
			  fep ? "KVM" : "the CPU");
		set_user(vm, ldt, user);
		/* KVM has not seen that change. */
		vm_mem_region_reload(vm, VM_SYS_SLOT);
		order.fep = fep;
		sync_global_to_guest(vm, order);
		vcpu_run_to_sync(vcpu, &uc);
		TEST_ASSERT(uc.args[0] == want && (!want || uc.args[1] == ec),
			    "a descriptor in %s page, with SMAP and AC, CPL 3, by %s: want vector %lu, error code 0x%lx, got %lu and 0x%lx",
			    user ? "a user's" : "the kernel's", fep ? "KVM" : "the CPU", want, ec,
			    uc.args[0], uc.args[1]);
	}
	kvm_vm_free(vm);
}

KVM_TEST_MAIN()
