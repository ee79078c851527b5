// SPDX-License-Identifier: GPL-2.0-only
/* L1's tables for L2, and orders to both; see include/nested.h. */
#include <stdarg.h>
#include <string.h>

#include "nested_internal.h"
#include "ucall.h"

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
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entry;
	} msrs = { .header.nmsrs = 1, .entry.index = index };

	return __kvm_ioctl(vm->kvm_fd, KVM_GET_MSRS, &msrs) == 1 ? msrs.entry.data : 0;
}

static bool has_nested_paging(struct kvm_vm *vm)
{
	if (host_is_amd())
		return guest_cpu_has(CPUID_SVM_FEATURES, true, CPUID_SVM_NPT);
	return feature_msr(vm, MSR_IA32_VMX_PROCBASED_CTLS2) >> 32 &
	       SECONDARY_EXEC_ENABLE_EPT;
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

/* ---- L1's tables ---- */

static bool is_ept(const struct nested *n)
{
	return n->paging && !n->amd;
}

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
	return table | (is_ept(n) ? EPT_READ | EPT_WRITE | EPT_EXEC :
			PTE_PRESENT_MASK | PTE_WRITABLE_MASK | PTE_USER_MASK);
}

/* On NPT all accesses are a user's, APM vol. 2 section 15.25.5. */
uint64_t nested_leaf(struct nested *n, gpa_t gpa, int level, unsigned int rights)
{
	uint64_t large = level > PG_LEVEL_4K ? PTE_LARGE_MASK : 0;

	if (is_ept(n))
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

	for (l = PG_LEVEL_512G; ; l--) {
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

gpa_t nested_new_root(struct nested *n)
{
	struct userspace_mem_region *sys = vm_get_mem_region(n->vm, VM_SYS_SLOT);
	gpa_t root = nested_new_table(n);

	if (n->paging)
		map(n, root, sys->gpa, sys->gpa, align_up(sys->size, SZ_2M), PG_LEVEL_2M,
		    NESTED_RWX);
	else
		memcpy(addr_gpa2hva(n->vm, root), addr_gpa2hva(n->vm, n->vm->pgd),
		       PAGE_SIZE);
	return root;
}

uint64_t nested_root_value(const struct nested *n, gpa_t root)
{
	return root | (is_ept(n) ? EPTP_WB | EPTP_4_LEVELS : 0);
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

void nested_free(struct nested *n)
{
	kvm_vm_free(n->vm);
	if (n->moved_from)
		kvm_vm_free(n->moved_from);
}

/* ---- orders ---- */

void nested_order(struct nested_cpu *cpu, enum nested_op op, uint64_t addr,
		  uint64_t value, struct nested_want want)
{
	struct nested_box *box = cpu->box;

	TEST_ERROR_ON(box->nr == NESTED_MAX_STEPS, "too many orders");
	box->step[box->nr] = (struct nested_step){
		.op = op, .addr = addr, .value = value,
	};
	cpu->want[box->nr++] = want;
}

void l2_read(struct nested_cpu *cpu, uint64_t off, uint64_t value)
{
	nested_order(cpu, L2_READ, NESTED_L2_GVA + off, 0, NESTED_WANT(DATA, value));
}

void l2_write(struct nested_cpu *cpu, uint64_t off, uint64_t value)
{
	nested_order(cpu, L2_WRITE, NESTED_L2_GVA + off, value, NESTED_WANT(DATA, value));
}

void l2_exec(struct nested_cpu *cpu, uint64_t off)
{
	nested_order(cpu, L2_EXEC, NESTED_L2_GVA + off, 0, NESTED_WANT(DATA, 0));
}

void l2_read_gap(struct nested_cpu *cpu, uint64_t off, gpa_t gpa)
{
	nested_order(cpu, L2_READ, NESTED_L2_GVA + off, 0, NESTED_WANT(MMIO, gpa));
}

void l2_write_gap(struct nested_cpu *cpu, uint64_t off, gpa_t gpa, uint64_t value)
{
	nested_order(cpu, L2_WRITE, NESTED_L2_GVA + off, value, NESTED_WANT(MMIO, gpa));
}

void l2_fault(struct nested_cpu *cpu, enum nested_op op, uint64_t off,
	      uint64_t error_code)
{
	nested_order(cpu, op, NESTED_L2_GVA + off, test_random(),
		     NESTED_WANT(FAULT, error_code));
}

void l1_read(struct nested_cpu *cpu, gpa_t gpa, uint64_t value)
{
	nested_order(cpu, L1_READ, gpa, 0, NESTED_WANT(DATA, value));
}

void l1_write(struct nested_cpu *cpu, gpa_t gpa, uint64_t value)
{
	nested_order(cpu, L1_WRITE, gpa, value, NESTED_WANT(DATA, value));
}

void l1_read_gap(struct nested_cpu *cpu, gpa_t gpa)
{
	nested_order(cpu, L1_READ, gpa, 0, NESTED_WANT(MMIO, gpa));
}

void l1_set_entry(struct nested_cpu *cpu, uint64_t off, int level, uint64_t value)
{
	struct nested *n = cpu->n;

	l1_write(cpu, n->tables_gva + nested_entry_gpa(n, off, level) - n->tables, value);
}

void l1_flush(struct nested_cpu *cpu)
{
	nested_order(cpu, L1_FLUSH, 0, 0, NESTED_WANT(ANY, 0));
}

void l1_turn(struct nested_cpu *cpu)
{
	nested_order(cpu, L1_TURN, 0, 0, NESTED_WANT(ANY, 0));
}

void l1_set_root(struct nested_cpu *cpu, gpa_t root)
{
	nested_order(cpu, L1_SET_ROOT, 0, nested_root_value(cpu->n, root),
		     NESTED_WANT(ANY, 0));
}

/* ---- what came of them ---- */

static const char *const op_names[] = {
	[L1_READ] = "L1 reads", [L1_WRITE] = "L1 writes", [L1_FLUSH] = "L1 flushes",
	[L1_INVALIDATE] = "L1 invalidates", [L1_SET_ROOT] = "L1 sets the root",
	[L1_TURN] = "L1", [L2_READ] = "L2 reads", [L2_WRITE] = "L2 writes",
	[L2_EXEC] = "L2 executes", [L2_INVLPG] = "L2 does INVLPG of",
	[L2_SYNC] = "L2 lets the host in", [L2_TRIPLE_FAULT] = "L2 ends by a triple fault",
};

static const char *const exit_names[] = {
	[L2_EXIT_NONE] = "no", [L2_EXIT_DONE] = "a VMCALL",
	[L2_EXIT_FAULT] = "a nested page fault", [L2_EXIT_TRIPLE_FAULT] = "a triple fault",
	[L2_EXIT_NO_ENTRY] = "a refused entry", [L2_EXIT_OTHER] = "another",
	[L2_EXIT_ANY] = "any",
};

/* "gva 0x.. (L1's NPT entries 0x.. 0x.. 0x..)" */
static void describe_place(struct nested_cpu *cpu, const struct nested_step *s,
			   char *buf, size_t size)
{
	struct nested *n = cpu->n;
	uint64_t addr = s->addr, e;
	struct userspace_mem_region *r;
	int l, len;
	gpa_t gpa;

	len = snprintf(buf, size, "gva 0x%lx", s->addr);
	if (s->op < L2_READ || s->addr < NESTED_L2_GVA)
		return;
	if (n->paging)
		addr += NESTED_L2_GPA - NESTED_L2_GVA;
	gpa = cpu->box->root & PHYSICAL_PAGE_MASK;
	len += snprintf(buf + len, size - len, "%s0x%lx, L1's entries",
			n->paging ? ", gpa of L2 " : " = ", addr);
	for (l = PG_LEVEL_512G; l >= PG_LEVEL_4K; l--) {
		gpa += ((addr >> PG_LEVEL_SHIFT(l)) & 511) * 8;
		r = vm_find_gpa(n->vm, gpa);
		if (!r)
			break;
		e = *(uint64_t *)addr_gpa2hva(n->vm, gpa);
		len += snprintf(buf + len, size - len, " 0x%lx", e);
		gpa = e & PHYSICAL_PAGE_MASK;
		if (!(e & 7) || e & PTE_LARGE_MASK)
			break;
	}
}

static void describe_want(const struct nested_want *want, char *buf, size_t size)
{
	switch (want->outcome) {
	case NESTED_MMIO:
		snprintf(buf, size, "an MMIO exit at gpa 0x%lx", want->value);
		break;
	case NESTED_FAULT:
		snprintf(buf, size, "a fault with error code 0x%lx (but for the user bit)",
			 want->value);
		break;
	case NESTED_L2_EXIT:
		snprintf(buf, size, "%s exit", exit_names[want->value]);
		break;
	default:
		snprintf(buf, size, "0x%lx", want->value);
	}
}

static void describe_got(const struct nested_step *s, char *buf, size_t size)
{
	if (s->exit)
		snprintf(buf, size, "%s exit to L1 (0x%lx, info 0x%lx, error code 0x%lx, address 0x%lx)",
			 exit_names[s->exit], s->exit_code, s->info, s->error_code,
			 s->fault_addr);
	else if (s->vector)
		snprintf(buf, size, "vector %lu, error code 0x%lx, CR2 0x%lx", s->vector,
			 s->error_code, s->fault_addr);
	else
		snprintf(buf, size, "0x%lx", s->got);
}

static void __attribute__((noreturn))
step_failed(struct nested_cpu *cpu, unsigned int i, const char *got)
{
	struct nested_step *s = &cpu->box->step[i];
	char place[256], want[128];

	describe_place(cpu, s, place, sizeof(place));
	describe_want(&cpu->want[i], want, sizeof(want));
	test_fail(ORACLE_DATA, __FILE__, __LINE__, NULL,
		  "order %u of %lu to vCPU %u: %s %s: want %s, got %s", i + 1,
		  cpu->box->nr, cpu->vcpu->id, op_names[s->op], place, want, got);
}

/*
 * An EPT misconfiguration says nothing of the access. QEMU's TCG forgets the
 * present bit of an L2's own fault on a reserved bit.
 */
static bool is_error_code(const struct nested *n, const struct nested_step *s,
			  uint64_t want)
{
	uint64_t mask = ~0ULL;

	if (want & PFERR_RSVD_MASK) {
		if (is_ept(n))
			mask = PFERR_RSVD_MASK;
		else if (!n->paging && kvm_is_tdp_enabled() && host_may_be_tcg())
			mask &= ~PFERR_PRESENT_MASK;
	}
	return !((s->error_code ^ want) & mask);
}

static bool is_fault(struct nested *n, const struct nested_step *s, uint64_t want)
{
	uint64_t addr = nested_addr(n, s->addr - NESTED_L2_GVA);

	if (n->paging ? s->exit != L2_EXIT_FAULT || s->in_page_walk :
			s->exit || s->vector != PF_VECTOR)
		return false;
	return s->fault_addr == addr && is_error_code(n, s, want);
}

static bool is_wanted(struct nested_cpu *cpu, unsigned int i, uint64_t *value)
{
	const struct nested_step *s = &cpu->box->step[i];
	const struct nested_want *want = &cpu->want[i];

	*value = want->value;
	switch (want->outcome) {
	case NESTED_ANY:
		return true;
	case NESTED_FAULT:
		return is_fault(cpu->n, s, want->value);
	case NESTED_L2_EXIT:
		return want->value == L2_EXIT_ANY ? s->exit : s->exit == want->value;
	case NESTED_MMIO:
		*value = s->op == L1_READ || s->op == L2_READ ?
			 nested_gap_value(want->value) : s->value;
		break;
	default:
		if (s->op == L2_EXEC)
			*value = s->got;
	}
	return !s->exit && !s->vector && s->got == *value;
}

static void check_steps(struct nested_cpu *cpu, const uint8_t exits[])
{
	unsigned int i;
	uint64_t value;
	char got[160];

	for (i = cpu->checked; i < cpu->box->nr; i++) {
		bool mmio = cpu->want[i].outcome == NESTED_MMIO;

		describe_got(&cpu->box->step[i], got, sizeof(got));
		if (!is_wanted(cpu, i, &value))
			step_failed(cpu, i, got);
		if (mmio && exits[i] != 1)
			step_failed(cpu, i, exits[i] ? "two exits" : "no exit");
	}
	cpu->checked = cpu->box->nr;
}

static void handle_exit(struct nested_cpu *cpu, uint8_t exits[])
{
	unsigned int i = cpu->box->current;
	const struct nested_step *s = &cpu->box->step[i];
	bool is_write = s->op == L1_WRITE || s->op == L2_WRITE;
	gpa_t gpa = cpu->want[i].value;
	char got[512];

	if (i >= cpu->box->nr || cpu->want[i].outcome != NESTED_MMIO ||
	    cpu->vcpu->run->exit_reason != KVM_EXIT_MMIO ||
	    cpu->vcpu->run->mmio.phys_addr != gpa) {
		vcpu_describe_exit(cpu->vcpu, got, sizeof(got));
		step_failed(cpu, i, got);
	}
	vcpu_check_mmio(cpu->vcpu, &(struct mmio_access){
		.gpa = gpa, .len = 8, .is_write = is_write,
		.data = is_write ? s->value : nested_gap_value(gpa),
	});
	exits[i]++;
}

static void run_to(struct nested_cpu *cpu, uint64_t stage)
{
	uint8_t exits[NESTED_MAX_STEPS] = {};
	struct ucall uc;

	for (;;) {
		vcpu_run(cpu->vcpu);
		if (get_ucall(cpu->vcpu, &uc) == UCALL_SYNC)
			break;
		handle_exit(cpu, exits);
	}
	check_steps(cpu, exits);
	TEST_ASSERT_ORACLE(ORACLE_EXIT, uc.args[0] == stage,
			   "vCPU %u: want a sync from L%lu, got one from L%lu",
			   cpu->vcpu->id, stage, uc.args[0]);
}

static void __attribute__((format(printf, 1, 0)))
set_step(const char *fmt, va_list ap)
{
	char what[128];

	vsnprintf(what, sizeof(what), fmt, ap);
	test_step("%s", what);
}

/* L1 sets itself up when it runs for the first time. */
static void start_l1(struct nested_cpu *cpu)
{
	if (cpu->started)
		return;
	cpu->started = true;
	vcpu_sregs_get(cpu->vcpu, &cpu->first_sregs);
	vcpu_regs_get(cpu->vcpu, &cpu->first_regs);
	vcpu_expect_sync(cpu->vcpu, NESTED_STAGE_L1);
}

static void forget_orders(struct nested_cpu *cpu)
{
	cpu->box->nr = cpu->box->current = cpu->checked = 0;
}

void nested_restart_l1(struct nested_cpu *cpu)
{
	forget_orders(cpu);
	vcpu_sregs_set(cpu->vcpu, &cpu->first_sregs);
	vcpu_regs_set(cpu->vcpu, &cpu->first_regs);
	cpu->started = false;
}

void nested_run(struct nested_cpu *cpu, const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	set_step(what, ap);
	va_end(ap);
	start_l1(cpu);
	run_to(cpu, NESTED_STAGE_L1);
	forget_orders(cpu);
}

void nested_run_in_l2(struct nested_cpu *cpu, const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	set_step(what, ap);
	va_end(ap);
	start_l1(cpu);
	nested_order(cpu, L2_SYNC, 0, 0, NESTED_WANT(ANY, 0));
	run_to(cpu, NESTED_STAGE_L2);
}
