/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An L1 hypervisor and its L2, on SVM or VMX, that do what the host orders, and
 * what must come of each order: data, an MMIO exit to user space, or a fault
 * that is L1's (with nested paging) or L2's own (without).
 *
 * L2 sees its window through tables of L1's, entry by entry: with nested paging
 * these are the NPT or EPT, which translate gpas of L2; without it they are L2's
 * page tables. Cases name places by their offset in the window, and so run both
 * ways. Whatever else L2 needs is where L1 has it.
 *
 * Functions are named by who acts: guest_ or l1_ code of L1, l2_ code of L2. In
 * the host, l1_...() and l2_...() give an order, which nested_run() has done.
 */
#ifndef SELFTEST_KVM_NESTED_H
#define SELFTEST_KVM_NESTED_H

#include "pattern.h"
#include "svm.h"
#include "vmx.h"

#define NESTED_MAX_CPUS		2
#define NESTED_MAX_STEPS	128
#define NESTED_TABLES		64

/* What L1 has at a gva that is the gpa: a test's slots and gaps. */
#define NESTED_GPA		0x40000000UL
#define NESTED_SIZE		0x40000000UL
#define NESTED_SLOT		1

/* The window, as gva and, with nested paging, as gpa of L2. */
#define NESTED_L2_GVA		0x600000000000UL
#define NESTED_L2_GPA		0x80000000UL

/* Rights that L1's entries give. */
#define NESTED_R		BIT(0)
#define NESTED_W		BIT(1)
#define NESTED_X		BIT(2)
#define NESTED_RW		(NESTED_R | NESTED_W)
#define NESTED_RWX		(NESTED_R | NESTED_W | NESTED_X)

enum nested_op {
	L1_READ,
	L1_WRITE,
	L1_LOCK_OR,		/* a locked instruction */
	L1_WRITE_X87,		/* FISTP, which KVM does not emulate */
	L1_FLUSH,		/* all that L1's tables say */
	L1_INVALIDATE,		/* one address of L2; without nested paging */
	L1_SET_ROOT,
	L1_INJECT,		/* the value, an event, when L2 is entered next */
	L1_TURN,		/* nothing; L2 is left before, and entered after it */
	/* With VMX only. What INVEPT and INVVPID give back is 0, or VM_INSTRUCTION_ERROR. */
	L1_VMREAD,		/* the field is the address */
	L1_VMWRITE,
	L1_INVEPT,		/* the type is the address, and the EPTP the value */
	L1_INVVPID,		/* the gva, and the VPID with the type above bit 32 */
	L1_ENTER,		/* as the VMCS says; gives back the reason of the exit */
	L2_READ,		/* the first of L2's */
	L2_WRITE,
	L2_EXEC,
	L2_COPY_IN,		/* MOVS from the gva to the value's, which is RAM */
	L2_COPY_OUT,		/* ... and the other way; the RAM holds its gva */
	L2_INVLPG,
	/* An event of L2's, whose first word on the stack is to be at the address: */
	L2_UD,
	L2_INT,			/* INT 0x80 */
	L2_PF,			/* a read at the value, where L2 has nothing mapped */
	L2_SYNC,		/* stays in L2, and lets the host in */
	L2_TRIPLE_FAULT,
	L2_VMFUNC,		/* the function is the address, and ECX the value */
	L2_SET_CR8,
};

enum l2_exit {
	L2_EXIT_NONE,
	L2_EXIT_DONE,		/* VMMCALL, VMCALL */
	L2_EXIT_FAULT,		/* of L1's nested tables */
	L2_EXIT_TRIPLE_FAULT,
	L2_EXIT_NO_ENTRY,
	L2_EXIT_OTHER,
	L2_EXIT_ANY,		/* in struct nested_want: any of these to L1 */
};

/* In memory of slot 0, as is struct nested_box. */
struct nested_step {
	uint64_t op, addr, value;
	/* By the guest: */
	uint64_t got;
	uint64_t exit;			/* enum l2_exit, if L2 did not get through */
	uint64_t exit_code, info;	/* as the CPU says it */
	uint64_t vector;		/* that L2 took */
	/* PFERR_* of either fault, without PFERR_USER_MASK, and its address. */
	uint64_t error_code, fault_addr;
	uint64_t in_page_walk;		/* the nested fault was on a table of L2's */
	uint64_t event;			/* NESTED_EVENT_*, that was being delivered */
	uint64_t linear_addr;		/* as EPT has it */
};

/*
 * An event as both vendors have it (APM vol. 2 section 15.20, SDM vol. 3 section 25.8.3);
 * its error code is in the upper half.
 */
#define NESTED_EVENT_VALID	BIT_ULL(31)
#define NESTED_EVENT_HAS_ERROR	BIT_ULL(11)
#define NESTED_EVENT_INTERRUPT	(NESTED_EVENT_VALID | 0 << 8)
#define NESTED_EVENT_NMI	(NESTED_EVENT_VALID | 2 << 8)
#define NESTED_EVENT_EXCEPTION	(NESTED_EVENT_VALID | 3 << 8)
#define NESTED_EVENT_INT	(NESTED_EVENT_VALID | 4 << 8)

struct nested_box {
	uint64_t nr, current;
	bool amd, paging;
	uint64_t root;			/* the nested CR3, EPTP, or L2's CR3 */
	/* L2's, where they are not as L1's. */
	uint64_t l2_cr0_clear, l2_cr4_toggle, l2_efer_toggle;
	gva_t l2_stack;			/* its end */
	bool takes_pf;			/* L1 intercepts L2's page faults */
	uint64_t inject;
	struct svm_test_data svm;
	struct vmx_pages vmx;
	struct nested_step step[NESTED_MAX_STEPS];
};

enum nested_outcome {
	NESTED_DATA,		/* done, with this value */
	NESTED_MMIO,		/* an exit to user space, at this gpa */
	NESTED_FAULT,		/* L1's or L2's, with these bits */
	NESTED_L2_EXIT,		/* any other exit, from L2 to L1 */
	NESTED_ANY,		/* what is not compared, without an exit to user space */
	NESTED_ANY_OR_MMIO,	/* the same, with one or without */
};

struct nested_want {
	enum nested_outcome outcome;
	uint64_t value;		/* the value, gpa, error code or enum l2_exit */
};

#define NESTED_WANT(how, what)						\
	((struct nested_want){ .outcome = NESTED_##how, .value = (what) })

struct nested_cpu {
	struct nested *n;
	struct kvm_vcpu *vcpu;
	struct nested_box *box;		/* the host's address */
	bool started;			/* L1 is set up; these were its registers: */
	struct kvm_sregs first_sregs;
	struct kvm_regs first_regs;
	unsigned int checked;		/* steps whose outcome was compared */
	struct nested_want want[NESTED_MAX_STEPS];
};

struct nested {
	struct kvm_vm *vm;
	bool amd;
	bool paging;			/* L1 has nested paging for L2 */
	gpa_t tables;			/* a pool; L1 has it at tables_gva */
	gva_t tables_gva;
	unsigned int nr_tables;
	gpa_t root;
	struct nested_cpu cpu[NESTED_MAX_CPUS];
	struct kvm_vm *moved_from;
};

/*
 * L1 runs, and has not entered L2 yet. Skips the case where the guest has no
 * SVM or VMX, or no nested paging. The window is empty, as are NESTED_GPA and up.
 */
void nested_create(struct nested *n, unsigned int nr_cpus, bool nested_paging);
void nested_free(struct nested *n);

/*
 * 4M of RAM from NESTED_GPA on. The first word of each page says which one it is; the
 * code that L2 may call is at PATTERN_CODE_OFFSET.
 */
#define NESTED_RAM_PAGES	1024
#define NESTED_PATTERN		((struct pattern){ .round = 1, .slot = NESTED_SLOT })
#define NESTED_WORD(page)	pattern_word(NESTED_PATTERN, page, 0)
/* As nested_create(); returns the first vCPU. */
struct nested_cpu *nested_create_with_ram(struct nested *n, unsigned int nr_cpus,
					  bool nested_paging);
/*
 * The same with EPT, and the first 2M of the RAM in the window, by 4K leaves. Skips the
 * case without VMX.
 */
struct nested_cpu *nested_create_for_vmx(struct nested *n);
/* A 4K leaf that leads to one of these pages. */
uint64_t nested_ram_leaf(struct nested_cpu *cpu, unsigned int page, unsigned int rights);

/* ---- L1's tables, by the host ---- */

bool nested_has_1g_pages(struct nested *n);
bool nested_has_ept_ad(struct nested *n);
/* An MSR of VMX as KVM lets guests have it; 0 where there is none. */
uint64_t nested_vmx_msr(struct nested *n, uint32_t index);
/* Skip the case if there is none for the guest. */
void nested_require_vmx(void);
void nested_require_secondary(struct nested *n, uint64_t control, const char *name);
void nested_require_ept_ad(struct nested *n);
/* An empty table. */
gpa_t nested_new_table(struct nested *n);
/* A root, with all that L2 needs but the window. */
gpa_t nested_new_root(struct nested *n);
/* An entry that is a leaf, or leads to a table. */
uint64_t nested_leaf(struct nested *n, gpa_t gpa, int level, unsigned int rights);
uint64_t nested_link(struct nested *n, gpa_t table);
/* Writes entries of the window; tables that are missing are added. */
void nested_map(struct nested *n, uint64_t off, gpa_t gpa, size_t size, int level,
		unsigned int rights);
void __nested_map(struct nested *n, gpa_t root, uint64_t off, gpa_t gpa, size_t size,
		  int level, unsigned int rights);
/* Where the entry of @level is. */
gpa_t nested_entry_gpa(struct nested *n, uint64_t off, int level);
uint64_t *nested_entry(struct nested *n, uint64_t off, int level);
/* What is faulted on, or invalidated, at this place of the window. */
uint64_t nested_addr(const struct nested *n, uint64_t off);
/* The root as nested_create() had it, for L1_SET_ROOT. */
uint64_t nested_root_value(const struct nested *n, gpa_t root);

/* ---- orders ---- */

void nested_order(struct nested_cpu *cpu, enum nested_op op, uint64_t addr,
		  uint64_t value, struct nested_want want);

/* Of L2, in its window: 8 bytes. */
void l2_read(struct nested_cpu *cpu, uint64_t off, uint64_t value);
void l2_write(struct nested_cpu *cpu, uint64_t off, uint64_t value);
void l2_exec(struct nested_cpu *cpu, uint64_t off);
void l2_read_gap(struct nested_cpu *cpu, uint64_t off, gpa_t gpa);
void l2_write_gap(struct nested_cpu *cpu, uint64_t off, gpa_t gpa, uint64_t value);
void l2_fault(struct nested_cpu *cpu, enum nested_op op, uint64_t off,
	      uint64_t error_code);

/* Of L1, at a gpa of its own. */
void l1_read(struct nested_cpu *cpu, gpa_t gpa, uint64_t value);
void l1_write(struct nested_cpu *cpu, gpa_t gpa, uint64_t value);
void l1_read_gap(struct nested_cpu *cpu, gpa_t gpa);
/* In its tables. */
void l1_set_entry(struct nested_cpu *cpu, uint64_t off, int level, uint64_t value);
void l1_set_entry_x87(struct nested_cpu *cpu, uint64_t off, int level, uint64_t value);
void l1_lock_or_entry(struct nested_cpu *cpu, uint64_t off, int level, uint64_t bits);
void l1_flush(struct nested_cpu *cpu);
/* Writes the entry, and flushes in one of the ways that will do. */
void l1_edit(struct nested_cpu *cpu, uint64_t off, int level, uint64_t entry);
void l1_turn(struct nested_cpu *cpu);
void l1_set_root(struct nested_cpu *cpu, gpa_t root);

/* With VMX. The fields of L1's VMCS; reading one has all done that was ordered before. */
void l1_vmwrite(struct nested_cpu *cpu, enum vmcs_field field, uint64_t value);
uint64_t l1_vmread(struct nested_cpu *cpu, enum vmcs_field field);
void l1_add_controls(struct nested_cpu *cpu, enum vmcs_field field, uint64_t bits);
/* The EPTP, with all of its bits. */
void l1_set_eptp(struct nested_cpu *cpu, uint64_t eptp);
void l1_invept(struct nested_cpu *cpu, uint64_t type, uint64_t eptp, uint64_t error);

/* What a read of the gap at this gpa is answered with. */
static inline uint64_t nested_gap_value(gpa_t gpa)
{
	return ~gpa;
}

/* Has the orders done, and compares what came of them; L1 has the vCPU after it. */
void __attribute__((format(printf, 2, 3)))
nested_run(struct nested_cpu *cpu, const char *what, ...);
/* As above, but the vCPU stays in L2, and takes more orders there. */
void __attribute__((format(printf, 2, 3)))
nested_run_in_l2(struct nested_cpu *cpu, const char *what, ...);
/*
 * For a vCPU that was in L2, and is in L1 by other means than an exit: L1 begins
 * anew, and sets itself up.
 */
void nested_restart_l1(struct nested_cpu *cpu);

/* A fixture whose L2 has nested paging in one variant, its own tables in the other. */
#define NESTED_VARIANTS(fixture)						\
	KVM_FIXTURE(fixture)							\
	FIXTURE_VARIANT(fixture) { bool paging; };				\
	FIXTURE_VARIANT_ADD(fixture, nested_paging) { true };			\
	FIXTURE_VARIANT_ADD(fixture, own_page_tables) { false };

/* ---- state ---- */

struct nested_vcpu_state {
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct kvm_vcpu_events events;
	uint64_t msr;
	union {
		struct kvm_nested_state nested;
		char size[sizeof(struct kvm_nested_state) + 2 * 4096];
	};
};

void nested_vcpu_save(struct kvm_vcpu *vcpu, struct nested_vcpu_state *state);
void nested_vcpu_load(struct kvm_vcpu *vcpu, struct nested_vcpu_state *state);
bool vcpu_is_in_l2(struct kvm_vcpu *vcpu);
/* KVM_SET_NESTED_STATE of a vCPU that runs no L2. */
void vcpu_leave_nested(struct kvm_vcpu *vcpu);
/* Goes on in a VM of its own, with the same memory; the old one is closed. */
void nested_migrate(struct nested *n);

#endif /* SELFTEST_KVM_NESTED_H */
