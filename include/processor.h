/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x86-64 as the guests see it: paging, exceptions, and accesses of an exact
 * width. Functions named guest_*() run in the guest, as does all inline asm.
 */
#ifndef SELFTEST_KVM_PROCESSOR_H
#define SELFTEST_KVM_PROCESSOR_H

#include "kvm_util.h"

/* Page table entries: SDM vol. 3 table 4-19, APM vol. 2 section 5.3. */
#define PTE_PRESENT_MASK	BIT_ULL(0)
#define PTE_WRITABLE_MASK	BIT_ULL(1)
#define PTE_USER_MASK		BIT_ULL(2)
#define PTE_ACCESSED_MASK	BIT_ULL(5)
#define PTE_DIRTY_MASK		BIT_ULL(6)
#define PTE_LARGE_MASK		BIT_ULL(7)
#define PTE_GLOBAL_MASK		BIT_ULL(8)
#define PTE_NX_MASK		BIT_ULL(63)
#define PHYSICAL_PAGE_MASK	0x000ffffffffff000ULL

#define X86_CR0_PE		BIT(0)
#define X86_CR0_ET		BIT(4)
#define X86_CR0_NE		BIT(5)
#define X86_CR0_WP		BIT(16)
#define X86_CR0_PG		BIT(31)
#define X86_CR4_PSE		BIT(4)
#define X86_CR4_PAE		BIT(5)
#define X86_CR4_PGE		BIT(7)
#define X86_CR4_OSFXSR		BIT(9)
#define X86_CR4_LA57		BIT(12)
#define X86_CR4_PCIDE		BIT(17)
#define X86_CR4_SMEP		BIT(20)
#define X86_CR4_SMAP		BIT(21)
#define X86_CR4_PKE		BIT(22)
#define X86_CR3_NOFLUSH		BIT_ULL(63)
#define MSR_EFER		0xc0000080
#define EFER_LME		BIT(8)
#define EFER_LMA		BIT(10)
#define EFER_NX			BIT(11)

#define CPUID_KVM_FEATURES	0x40000001

#define MSR_APIC_BASE		0x1b
#define APIC_BASE_X2APIC	BIT(10)
#define APIC_BASE_ENABLE	BIT(11)
#define MSR_X2APIC_EOI		0x80b
#define MSR_X2APIC_SPIV		0x80f
#define MSR_X2APIC_SELF_IPI	0x83f

#define X86_EFLAGS_FIXED	BIT(1)
#define X86_EFLAGS_IF		BIT(9)
#define X86_EFLAGS_IOPL		(BIT(12) | BIT(13))
#define X86_EFLAGS_AC		BIT(18)

/* Selectors of the library's GDT; the user ones want an RPL of 3. */
#define KERNEL_CS		0x08
#define KERNEL_DS		0x10
#define USER_CS			0x28
#define USER_DS			0x30

#define DE_VECTOR		0
#define DB_VECTOR		1
#define NMI_VECTOR		2
#define BP_VECTOR		3
#define UD_VECTOR		6
#define DF_VECTOR		8
#define GP_VECTOR		13
#define PF_VECTOR		14

/* Page fault error code, SDM vol. 3 section 4.7. */
#define PFERR_PRESENT_MASK	BIT(0)
#define PFERR_WRITE_MASK	BIT(1)
#define PFERR_USER_MASK		BIT(2)
#define PFERR_RSVD_MASK		BIT(3)
#define PFERR_FETCH_MASK	BIT(4)
#define PFERR_PK_MASK		BIT(5)

enum pg_level {
	PG_LEVEL_NONE,
	PG_LEVEL_4K,
	PG_LEVEL_2M,
	PG_LEVEL_1G,
	PG_LEVEL_512G,
	PG_LEVEL_256T,
};

#define PG_LEVEL_SHIFT(level)	(((level) - 1) * 9 + 12)
#define PG_LEVEL_SIZE(level)	(1UL << PG_LEVEL_SHIFT(level))

/*
 * Maps one leaf of @level at @gva, writable and executable.
 * @gva and @gpa are aligned to the leaf; an existing leaf fails the case.
 */
void __virt_pg_map(struct kvm_vm *vm, gva_t gva, gpa_t gpa, int level);
void virt_map_level(struct kvm_vm *vm, gva_t gva, gpa_t gpa, uint64_t nr_bytes,
		    int level);
/* The guest's leaf entry that maps @gva, and its level; NULL where none does. */
uint64_t *vm_get_pte(struct kvm_vm *vm, gva_t gva, int *level);

/*
 * A copy of the root and of the tables down to @level on the way to gva 0, and so to all
 * that the library maps; what is below is shared.
 */
gpa_t virt_copy_root(struct kvm_vm *vm, int level);
/* The same, in pages that @new_table gives. */
gpa_t virt_copy_root_to(struct kvm_vm *vm, int level, gpa_t (*new_table)(void *arg), void *arg);

/* The gpa of the guest's entry of @level on the way to @gva; there must be one. */
gpa_t vm_entry_gpa(struct kvm_vm *vm, gva_t gva, int level);

/*
 * True when the host itself runs on a hypervisor, with SVM, which may be QEMU's
 * TCG: for what only an emulated CPU gets wrong.
 */
bool host_may_be_tcg(void);
/* And needs an exit in each exception for it, see lib/x86_64/exceptions.c. */
bool tcg_leaves_event_type(void);

/*
 * Where KVM's guests may have five levels of page tables (CR4.LA57, SDM vol. 3
 * section 4.5), the seed decides for each VM whether it has them. All that this case
 * creates from here on have @top_level, PG_LEVEL_512G or PG_LEVEL_256T; the case is
 * skipped where the latter is not possible.
 */
void vm_use_top_level(int top_level);
bool guest_has_la57(void);
/* Skips the case where they may not. */
void require_la57(void);

/*
 * Skips the case where a flush that KVM does on a guest's behalf, for a hypercall or by
 * the steal time, does not sync shadow page tables: before 5.13 (b53e84eed08b).
 */
void require_guest_flush_that_syncs(void);

/* True when the guest CPU has 1G pages (CPUID 0x80000001 EDX bit 26). */
bool guest_has_gbpages(void);

struct kvm_cpuid2 *kvm_get_supported_cpuid(void);
/* NULL when the leaf is not there. */
const struct kvm_cpuid_entry2 *
get_cpuid_entry(const struct kvm_cpuid2 *cpuid, uint32_t function, uint32_t index);

/* Gives vCPUs, none of which the VM has yet, another MAXPHYADDR than the host's. */
void vm_set_maxphyaddr(struct kvm_vm *vm, unsigned int maxphyaddr);
/* The same for a VM's one vCPU, which has its registers, but has not run yet. */
void vcpu_set_maxphyaddr(struct kvm_vcpu *vcpu, unsigned int maxphyaddr);

/*
 * Lets the vCPU's guest code, as mapped by now, run at CPL 3, with IOPL 3 for
 * its ucalls. Exceptions are taken at CPL 0, on a stack of their own: one, so
 * only one vCPU of a VM may be in user mode.
 */
void vcpu_enter_user_mode(struct kvm_vcpu *vcpu);
/*
 * Clears RFLAGS.IF: a vCPU that can take an interrupt halts when the host's page has to
 * come first, and a worker has the fault for it; one that cannot sleeps within KVM_RUN.
 */
void vcpu_sleep_in_faults(struct kvm_vcpu *vcpu);

/* CR4 that its vCPUs have at first. */
uint64_t vm_cr4(const struct kvm_vm *vm);

/* Called by vm_create() and vm_vcpu_add(). */
void vm_arch_init(struct kvm_vm *vm);
void vcpu_arch_init(struct kvm_vcpu *vcpu, void *guest_code);
void virt_pgd_alloc(struct kvm_vm *vm);

/* ---- exceptions in the guest ---- */

struct ex_regs {
	uint64_t rax, rcx, rdx, rbx, rbp, rsi, rdi;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t vector;
	uint64_t error_code;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* @handler runs in the guest; NULL makes the vector unexpected again. */
void vm_install_exception_handler(struct kvm_vm *vm, int vector,
				  void (*handler)(struct ex_regs *));

/*
 * kvm_asm_safe(insn, inputs...): executes @insn in the guest and returns the
 * vector of the exception it took, or 0 (#DE cannot be told apart).
 * The exception handler resumes behind @insn when r9 holds the magic and the
 * faulting RIP is in r10; it then puts the vector in r9 and the error code in
 * r10. CR2 stays as the CPU left it.
 */
#define KVM_EXCEPTION_MAGIC	0x5afe5afe0ddba11ULL

#define __KVM_ASM_SAFE_BEGIN						\
	"movabs %[magic], %%r9\n\t"					\
	"lea 1f(%%rip), %%r10\n\t"					\
	"lea 2f(%%rip), %%r11\n\t"					\
	"1: "
#define __KVM_ASM_SAFE_END						\
	"\n\txor %%r9d, %%r9d\n\t"					\
	"xor %%r10d, %%r10d\n\t"					\
	"2: mov %%r9b, %[vector]\n\t"					\
	"mov %%r10, %[ec]\n\t"

#define kvm_asm_safe_ec(insn, error_code, inputs...)			\
({									\
	uint8_t __vector;						\
	asm volatile(__KVM_ASM_SAFE_BEGIN insn __KVM_ASM_SAFE_END	\
		     : [vector] "=&q"(__vector), [ec] "=&r"(error_code)	\
		     : [magic] "i"(KVM_EXCEPTION_MAGIC), ##inputs	\
		     : "r9", "r10", "r11", "memory", "cc");		\
	__vector;							\
})

#define kvm_asm_safe(insn, inputs...)					\
({									\
	uint64_t __ec;							\
	kvm_asm_safe_ec(insn, __ec, ##inputs);				\
})

/*
 * Calls @addr in the guest. Returns 0 when it returned, else the vector of a
 * fault on the fetch from @addr itself.
 */
uint8_t guest_call_safe(gva_t addr, uint64_t *error_code);

static inline uint64_t read_cr2(void)
{
	uint64_t v;

	asm volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

static inline uint64_t read_cr3(void)
{
	uint64_t v;

	asm volatile("mov %%cr3, %0" : "=r"(v) : : "memory");
	return v;
}

static inline void write_cr3(uint64_t v)
{
	asm volatile("mov %0, %%cr3" : : "r"(v) : "memory");
}

static inline uint64_t read_cr0(void)
{
	uint64_t v;

	asm volatile("mov %%cr0, %0" : "=r"(v) : : "memory");
	return v;
}

static inline void write_cr0(uint64_t v)
{
	asm volatile("mov %0, %%cr0" : : "r"(v) : "memory");
}

static inline uint64_t read_cr4(void)
{
	uint64_t v;

	asm volatile("mov %%cr4, %0" : "=r"(v) : : "memory");
	return v;
}

static inline void write_cr4(uint64_t v)
{
	asm volatile("mov %0, %%cr4" : : "r"(v) : "memory");
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t v)
{
	asm volatile("wrmsr"
		     : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))
		     : "memory");
}

/* Guest code: its local APIC takes interrupts, and has MSRs for registers. */
static inline void x2apic_enable(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
	wrmsr(MSR_X2APIC_SPIV, 0x1ff);
}

struct desc_ptr {
	uint16_t size;
	uint64_t address;
} __attribute__((packed));

static inline struct desc_ptr get_gdt(void)
{
	struct desc_ptr gdt;

	asm volatile("sgdt %0" : "=m"(gdt));
	return gdt;
}

static inline struct desc_ptr get_idt(void)
{
	struct desc_ptr idt;

	asm volatile("sidt %0" : "=m"(idt));
	return idt;
}

static inline uint16_t get_tr(void)
{
	uint16_t tr;

	asm volatile("str %0" : "=rm"(tr));
	return tr;
}

static inline void invlpg(gva_t gva)
{
	asm volatile("invlpg (%0)" : : "r"(gva) : "memory");
}

static inline void cpu_relax(void)
{
	asm volatile("pause" : : : "memory");
}

/* ---- accesses of an exact width: one MOV each, whatever the compiler ---- */

#define __GUEST_ACCESS(bits, type, reg)					\
static inline type guest_read##bits(gva_t gva)				\
{									\
	type v;								\
									\
	asm volatile("mov (%1), %0" : "=" reg(v) : "r"(gva) : "memory");	\
	return v;							\
}									\
									\
static inline void guest_write##bits(gva_t gva, type v)			\
{									\
	asm volatile("mov %0, (%1)" : : reg(v), "r"(gva) : "memory");	\
}

__GUEST_ACCESS(8, uint8_t, "q")
__GUEST_ACCESS(16, uint16_t, "r")
__GUEST_ACCESS(32, uint32_t, "r")
__GUEST_ACCESS(64, uint64_t, "r")

/* @len is 1, 2, 4 or 8 bytes. */
static inline uint64_t guest_read(gva_t gva, unsigned int len)
{
	switch (len) {
	case 1: return guest_read8(gva);
	case 2: return guest_read16(gva);
	case 4: return guest_read32(gva);
	default: return guest_read64(gva);
	}
}

static inline void guest_write(gva_t gva, unsigned int len, uint64_t v)
{
	switch (len) {
	case 1: guest_write8(gva, v); break;
	case 2: guest_write16(gva, v); break;
	case 4: guest_write32(gva, v); break;
	default: guest_write64(gva, v); break;
	}
}

#endif /* SELFTEST_KVM_PROCESSOR_H */
