// SPDX-License-Identifier: GPL-2.0-only
/* Exits by name, and the state of VMs and vCPUs for a failure's text. */
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "processor.h"
#include "test_internal.h"

const char *exit_reason_str(uint32_t exit_reason)
{
	static const char *const names[] = {
#define EXIT(x)	[KVM_EXIT_##x] = "KVM_EXIT_" #x
		EXIT(UNKNOWN), EXIT(EXCEPTION), EXIT(IO), EXIT(HYPERCALL),
		EXIT(DEBUG), EXIT(HLT), EXIT(MMIO), EXIT(IRQ_WINDOW_OPEN),
		EXIT(SHUTDOWN), EXIT(FAIL_ENTRY), EXIT(INTR), EXIT(SET_TPR),
		EXIT(TPR_ACCESS), EXIT(NMI), EXIT(INTERNAL_ERROR),
		EXIT(SYSTEM_EVENT), EXIT(IOAPIC_EOI), EXIT(HYPERV),
		EXIT(DIRTY_RING_FULL), EXIT(NOTIFY), EXIT(MEMORY_FAULT),
#undef EXIT
	};

	if (exit_reason < ARRAY_SIZE(names) && names[exit_reason])
		return names[exit_reason];
	return "KVM_EXIT_(unknown number)";
}

const char *internal_error_str(uint32_t suberror)
{
	switch (suberror) {
	case KVM_INTERNAL_ERROR_EMULATION: return "EMULATION";
	case KVM_INTERNAL_ERROR_SIMUL_EX: return "SIMUL_EX";
	case KVM_INTERNAL_ERROR_DELIVERY_EV: return "DELIVERY_EV";
	case KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON:
		return "UNEXPECTED_EXIT_REASON";
	default: return "(unknown suberror)";
	}
}

static void describe_internal(const struct kvm_run *run, char *buf, size_t size)
{
	uint32_t i, n, ndata = run->internal.ndata;

	n = snprintf(buf, size, "KVM_EXIT_INTERNAL_ERROR suberror %u %s, %u data words",
		     run->internal.suberror,
		     internal_error_str(run->internal.suberror), ndata);
	if (ndata > ARRAY_SIZE(run->internal.data))
		ndata = ARRAY_SIZE(run->internal.data);
	for (i = 0; i < ndata && n < size; i++)
		n += snprintf(buf + n, size - n, " 0x%llx", run->internal.data[i]);
}

static void describe_mmio(struct kvm_vcpu *vcpu, char *buf, size_t size)
{
	const struct kvm_run *run = vcpu->run;
	char where[256];
	uint64_t data;
	int n;

	memcpy(&data, run->mmio.data, sizeof(data));
	if (run->mmio.len < 8)
		data &= BIT_ULL(run->mmio.len * 8) - 1;
	n = snprintf(buf, size, "KVM_EXIT_MMIO %s of %u bytes at gpa 0x%llx",
		     run->mmio.is_write ? "write" : "read", run->mmio.len,
		     run->mmio.phys_addr);
	if (run->mmio.is_write)
		n += snprintf(buf + n, size - n, " data 0x%lx", data);
	snprintf(buf + n, size - n, " in %s",
		 vm_describe_gpa(vcpu->vm, run->mmio.phys_addr, where,
				 sizeof(where)));
}

static void describe_memory_fault(struct kvm_vcpu *vcpu, char *buf, size_t size)
{
	const struct kvm_memory_fault_exit *fault = kvm_run_memory_fault(vcpu->run);
	char where[256];

	snprintf(buf, size, "KVM_EXIT_MEMORY_FAULT of 0x%llx bytes at gpa 0x%llx flags 0x%llx in %s",
		 fault->size, fault->gpa, fault->flags,
		 vm_describe_gpa(vcpu->vm, fault->gpa, where, sizeof(where)));
}

void vcpu_describe_exit(struct kvm_vcpu *vcpu, char *buf, size_t size)
{
	const struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
		describe_mmio(vcpu, buf, size);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		describe_internal(run, buf, size);
		break;
	case KVM_EXIT_IO:
		snprintf(buf, size, "KVM_EXIT_IO %s port 0x%x size %u%s",
			 run->io.direction == KVM_EXIT_IO_OUT ? "out" : "in",
			 run->io.port, run->io.size,
			 run->io.port == 0x1000 ? " (ucall)" : "");
		break;
	case KVM_EXIT_MEMORY_FAULT:
		describe_memory_fault(vcpu, buf, size);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		snprintf(buf, size, "KVM_EXIT_FAIL_ENTRY hardware reason 0x%llx",
			 run->fail_entry.hardware_entry_failure_reason);
		break;
	default:
		snprintf(buf, size, "%s (%u)", exit_reason_str(run->exit_reason),
			 run->exit_reason);
	}
}

/* Memory that is gone or poisoned must not be the end of a failure's text. */
static bool try_read_byte(uint8_t *byte, void *hva)
{
	struct iovec to = { .iov_base = byte, .iov_len = 1 }, from = { .iov_base = hva, .iov_len = 1 };

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1;
}

static void dump_insn(FILE *stream, struct kvm_vcpu *vcpu, gva_t rip)
{
	struct kvm_vm *vm = vcpu->vm;
	char where[256];
	uint8_t byte;
	gpa_t gpa;
	int i;

	if (!__addr_gva2gpa(vm, rip, &gpa)) {
		fprintf(stream, "    rip: not mapped by the guest's page tables\n");
		return;
	}
	fprintf(stream, "    rip: gpa 0x%lx, %s\n    code:", gpa,
		vm_describe_gpa(vm, gpa, where, sizeof(where)));
	for (i = 0; i < 16; i++) {
		if (!__addr_gva2gpa(vm, rip + i, &gpa) || !vm_find_gpa(vm, gpa) ||
		    !try_read_byte(&byte, addr_gpa2hva(vm, gpa)))
			break;
		fprintf(stream, " %02x", byte);
	}
	fputc('\n', stream);
}

void vcpu_dump(FILE *stream, struct kvm_vcpu *vcpu)
{
	struct kvm_regs r;
	struct kvm_sregs s;
	char exit[512];

	if (vcpu->fd < 0) {
		fprintf(stream, "  vCPU %u: closed\n", vcpu->id);
		return;
	}
	vcpu_describe_exit(vcpu, exit, sizeof(exit));
	fprintf(stream, "  vCPU %u: last exit %s\n", vcpu->id, exit);
	/* A vCPU that another thread runs would keep the ioctl waiting. */
	if (vcpu->running && vcpu != current_vcpu) {
		fprintf(stream, "    running in another thread\n");
		return;
	}
	if (__vcpu_ioctl(vcpu, KVM_GET_REGS, &r) ||
	    __vcpu_ioctl(vcpu, KVM_GET_SREGS, &s)) {
		fprintf(stream, "    registers cannot be read\n");
		return;
	}
	fprintf(stream, "    rip %016llx rsp %016llx rflags %08llx\n"
		"    rax %016llx rbx %016llx rcx %016llx rdx %016llx\n"
		"    rsi %016llx rdi %016llx rbp %016llx r8  %016llx\n"
		"    r9  %016llx r10 %016llx r11 %016llx r12 %016llx\n"
		"    r13 %016llx r14 %016llx r15 %016llx\n"
		"    cr0 %llx cr2 %llx cr3 %llx cr4 %llx efer %llx cs %x\n",
		r.rip, r.rsp, r.rflags, r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi,
		r.rbp, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15,
		s.cr0, s.cr2, s.cr3, s.cr4, s.efer, s.cs.selector);
	if (s.cr3 == vcpu->vm->pgd)
		dump_insn(stream, vcpu, r.rip);
}

void vm_dump(FILE *stream, struct kvm_vm *vm)
{
	static const char *const stats[] = { "pages_4k", "pages_2m", "pages_1g" };
	struct userspace_mem_region *r;
	int64_t value;
	uint32_t i;

	fprintf(stream, "VM: %lu memslot updates (generation about %lu), MAXPHYADDR %u\n",
		vm->memslot_updates, vm->memslot_generation, vm->pa_bits);
	for (r = vm->regions; r; r = r->next)
		fprintf(stream, "  slot %u: gpa 0x%lx-0x%lx hva %p %s flags 0x%x\n",
			r->slot, r->gpa, r->gpa + r->size, r->mem.hva,
			vm_mem_backing_src_name(r->mem.type), r->flags);
	fprintf(stream, "  mapped by KVM:");
	for (i = 0; i < ARRAY_SIZE(stats); i++) {
		if (vm_read_stat(vm, stats[i], &value))
			fprintf(stream, " %s %ld", stats[i], value);
	}
	fputc('\n', stream);
	for (i = 0; i < vm->nr_vcpus; i++)
		vcpu_dump(stream, vm->vcpus[i]);
}
