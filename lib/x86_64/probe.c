// SPDX-License-Identifier: GPL-2.0-only
/* vCPUs that do single accesses on order; see probe.h. */
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "pattern.h"
#include "probe.h"
#include "probe_internal.h"

#define PROBE_DEADLINE	8	/* seconds that an order may take */

/* ---- the probe's thread ---- */

static void handle_mmio(struct probe *p)
{
	struct kvm_run *run = p->vcpu->run;
	uint64_t value = probe_gap_value(run->mmio.phys_addr);

	p->mmio = (struct mmio_access){
		.gpa = run->mmio.phys_addr,
		.len = run->mmio.len,
		.is_write = run->mmio.is_write,
	};
	if (run->mmio.is_write)
		memcpy(&p->mmio.data, run->mmio.data, run->mmio.len);
	else
		memcpy(run->mmio.data, &value, sizeof(value));
	p->nr_mmio++;
}

/*
 * The code that a hammering probe calls can go away. Its fetch from the gap then
 * cannot be emulated; to the guest that is a call that returns 0.
 */
static void return_from_call(struct probe *p)
{
	struct kvm_regs regs;

	vcpu_regs_get(p->vcpu, &regs);
	regs.rip = regs.rbx;
	regs.rsp += 8;
	regs.rax = 0;
	vcpu_regs_set(p->vcpu, &regs);
}

/* The host looks at what happened, and lets the guest try again. */
static void wait_for_retry(struct probe *p, enum probe_outcome outcome)
{
	struct kvm_regs regs;

	p->stuck = outcome;
	while (p->stuck && !p->vcpu->stop) {
		cpu_relax();
		sched_yield();
	}
	/* An emulation failure leaves a #UD behind; setting registers drops it. */
	vcpu_regs_get(p->vcpu, &regs);
	vcpu_regs_set(p->vcpu, &regs);
}

static void handle_efault(struct probe *p)
{
	if (p->efault_ok)
		sched_yield();
	else
		wait_for_retry(p, PROBE_EFAULT);
}

static void handle_emulation_failure(struct probe *p)
{
	if (((volatile struct probe_box *)p->box)->op == OP_HAMMER)
		return_from_call(p);
	else
		wait_for_retry(p, PROBE_INTERNAL_ERROR);
}

static void probe_thread(struct kvm_vcpu *vcpu)
{
	struct probe *p = vcpu->thread_data;
	struct kvm_run *run = vcpu->run;
	int ret;

	while (!vcpu->stop) {
		ret = __vcpu_run(vcpu);
		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0 && errno == EFAULT) {
			handle_efault(p);
		} else if (!ret && run->exit_reason == KVM_EXIT_MMIO) {
			handle_mmio(p);
		} else if (!ret && run->exit_reason == KVM_EXIT_IO &&
			   run->io.port == PROBE_YIELD_PORT) {
			sched_yield();
		} else if (!ret && run->exit_reason == KVM_EXIT_INTERNAL_ERROR &&
			   run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION) {
			handle_emulation_failure(p);
		} else {
			/* Guest exceptions and all else: the library's words. */
			vcpu_check_exit(vcpu, ret);
			vcpu_unexpected_exit(vcpu, "a probe to stay in guest mode");
		}
	}
}

/* ---- orders ---- */

const char *probe_describe_value(uint64_t value, char *buf, size_t size)
{
	if (!(~value >> 52))
		snprintf(buf, size, "the answer of a gap at gpa 0x%lx", ~value);
	else if (value >> 56 == 0xff)
		snprintf(buf, size, "what vCPU %lu wrote in loop %lu",
			 (value >> 48) & 0xff, value & 0xffffffffffff);
	else
		pattern_describe(value, buf, size);
	return buf;
}

static volatile struct probe_box *box_of(struct probe *p)
{
	return p->box;
}

static const char *const outcome_names[] = {
	[PROBE_RAM] = "RAM",
	[PROBE_MMIO] = "KVM_EXIT_MMIO",
	[PROBE_EXCEPTION] = "an exception",
	[PROBE_INTERNAL_ERROR] = "KVM_EXIT_INTERNAL_ERROR",
	[PROBE_EFAULT] = "EFAULT from KVM_RUN",
};

struct deadline {
	struct timespec end;
};

static struct deadline deadline_start(void)
{
	struct deadline d;

	clock_gettime(CLOCK_MONOTONIC, &d.end);
	d.end.tv_sec += test_seconds(PROBE_DEADLINE);
	return d;
}

static void deadline_wait(struct probe *p, const struct deadline *d, const char *what)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec > d->end.tv_sec) {
		char exit[512];

		vcpu_describe_exit(p->vcpu, exit, sizeof(exit));
		test_fail(ORACLE_HANG, __FILE__, __LINE__, NULL,
			  "vCPU %u does not get on: %s takes more than %u seconds; last exit %s, %u MMIO exits so far",
			  p->vcpu->id, what, test_seconds(PROBE_DEADLINE), exit,
			  p->nr_mmio);
	}
	cpu_relax();
	sched_yield();
}

static struct probe_result wait_result(struct probe *p, unsigned int mmio_before)
{
	volatile struct probe_box *box = box_of(p);
	struct deadline d = deadline_start();
	struct probe_result r = {};

	while (box->finished != box->ordered) {
		if (p->stuck) {
			r.outcome = p->stuck;
			return r;
		}
		deadline_wait(p, &d, "an access");
	}
	r.value = box->result;
	r.vector = box->vector;
	r.error_code = box->error_code;
	r.mmio = p->mmio;
	if (box->vector)
		r.outcome = PROBE_EXCEPTION;
	else if (p->nr_mmio != mmio_before)
		r.outcome = PROBE_MMIO;
	return r;
}

static void order(struct probe *p, uint64_t op, gva_t gva, uint64_t len,
		  uint64_t value)
{
	volatile struct probe_box *box = box_of(p);

	TEST_ERROR_ON(box->finished != box->ordered || p->stuck,
		      "probe %u is busy", p->vcpu->id);
	box->op = op;
	box->gva = gva;
	box->len = len;
	box->value = value;
	box->result = 0;
	__atomic_store_n(&p->box->ordered, box->ordered + 1, __ATOMIC_SEQ_CST);
}

static struct probe_result access_once(struct probe *p, uint64_t op, gva_t gva,
				       uint64_t len, uint64_t value)
{
	unsigned int before = p->nr_mmio;
	struct probe_result r;

	order(p, op, gva, len, value);
	r = wait_result(p, before);
	if (r.outcome == PROBE_MMIO && op != OP_ADD && op != OP_LOCK_ADD)
		TEST_ASSERT_ORACLE(ORACLE_EXIT, p->nr_mmio == before + 1,
				   "one access at gva 0x%lx took %u MMIO exits", gva,
				   p->nr_mmio - before);
	return r;
}

struct probe_result probe_read(struct probe *p, gva_t gva, unsigned int len)
{
	return access_once(p, OP_READ, gva, len, 0);
}

struct probe_result probe_write(struct probe *p, gva_t gva, unsigned int len,
				uint64_t value)
{
	return access_once(p, OP_WRITE, gva, len, value);
}

struct probe_result probe_exec(struct probe *p, gva_t gva)
{
	return access_once(p, OP_EXEC, gva, 0, 0);
}

struct probe_result probe_add(struct probe *p, gva_t gva, uint64_t value, bool lock)
{
	return access_once(p, lock ? OP_LOCK_ADD : OP_ADD, gva, 8, value);
}

void probe_flush_tlb(struct probe *p)
{
	access_once(p, OP_FLUSH, 0, 0, 0);
}

struct probe_result probe_retry(struct probe *p)
{
	unsigned int before = p->nr_mmio;

	TEST_ERROR_ON(!p->stuck, "probe %u has nothing to retry", p->vcpu->id);
	p->stuck = 0;
	return wait_result(p, before);
}

static unsigned int access_pages(struct probe *p, uint64_t op, gva_t gva,
				 unsigned int nr, uint64_t value)
{
	unsigned int before = p->nr_mmio;
	struct probe_result r;

	TEST_ERROR_ON(nr > PROBE_MAX_PAGES, "%u pages in one order", nr);
	order(p, op, gva, nr, value);
	r = wait_result(p, before);
	if (r.outcome != PROBE_RAM && r.outcome != PROBE_MMIO)
		probe_unexpected(p, gva, &r, "RAM or MMIO");
	return p->nr_mmio - before;
}

unsigned int probe_read_pages(struct probe *p, gva_t gva, unsigned int nr,
			      size_t stride, uint64_t out[])
{
	unsigned int n = access_pages(p, OP_READ_PAGES, gva, nr, stride);

	memcpy(out, p->box->out, nr * sizeof(*out));
	return n;
}

static void bad_page(struct probe *p, gva_t gva, size_t page, const char *what,
		     uint64_t got, uint64_t want)
{
	char where[256], text[2][128];
	gpa_t gpa = addr_gva2gpa(p->vcpu->vm, gva);

	TEST_FAIL("vCPU %u %s page %zu at gpa 0x%lx (%s): got %s, want %s; %lu memslot updates so far",
		  p->vcpu->id, what, page, gpa,
		  vm_describe_gpa(p->vcpu->vm, gpa, where, sizeof(where)),
		  probe_describe_value(got, text[0], sizeof(text[0])),
		  probe_describe_value(want, text[1], sizeof(text[1])),
		  p->vcpu->vm->memslot_updates);
}

void probe_check_pages(struct probe *p, gva_t gva, struct patterned_mem *m,
		       size_t first, size_t npages)
{
	volatile struct probe_box *box = box_of(p);
	size_t i, done, nr;

	for (done = 0; done < npages; done += nr) {
		nr = npages - done < PROBE_MAX_PAGES ? npages - done : PROBE_MAX_PAGES;
		access_pages(p, OP_CHECK_PAGES, gva + done * PAGE_SIZE, nr,
			     PATTERN_CODE_OFFSET);
		for (i = 0; i < nr; i++) {
			uint64_t want = patterned_mem_word0(m, first + done + i);

			if (box->out[i] != want)
				bad_page(p, gva + (done + i) * PAGE_SIZE, done + i,
					 "reads", box->out[i], want);
		}
		if (box->first_code != pattern_code(m->pattern, first + done))
			bad_page(p, gva + done * PAGE_SIZE, done, "calls code in",
				 box->first_code, pattern_code(m->pattern, first + done));
		done += nr - 1;
		if (box->last_code != pattern_code(m->pattern, first + done))
			bad_page(p, gva + done * PAGE_SIZE, done, "calls code in",
				 box->last_code, pattern_code(m->pattern, first + done));
		done -= nr - 1;
	}
}

unsigned int probe_write_pages(struct probe *p, gva_t gva, unsigned int nr,
			       uint64_t value)
{
	return access_pages(p, OP_WRITE_PAGES, gva, nr, value);
}

/* ---- checked accesses ---- */

void probe_unexpected(struct probe *p, gva_t gva, const struct probe_result *r,
		      const char *want)
{
	char where[256] = "not mapped by the guest", value[128], mmio[128] = "";
	gpa_t gpa = 0;

	if (__addr_gva2gpa(p->vcpu->vm, gva, &gpa))
		vm_describe_gpa(p->vcpu->vm, gpa, where, sizeof(where));
	if (r->outcome == PROBE_MMIO)
		snprintf(mmio, sizeof(mmio), " %s of %u bytes at gpa 0x%lx data 0x%lx",
			 r->mmio.is_write ? "write" : "read", r->mmio.len,
			 r->mmio.gpa, r->mmio.data);
	if (r->outcome == PROBE_EXCEPTION)
		snprintf(mmio, sizeof(mmio), " (vector %lu, error code 0x%lx)",
			 r->vector, r->error_code);
	test_fail(r->outcome == PROBE_RAM ? ORACLE_DATA :
		  r->outcome == PROBE_EFAULT ? ORACLE_ERRNO : ORACLE_EXIT,
		  __FILE__, __LINE__, NULL,
		  "vCPU %u, gva 0x%lx, gpa 0x%lx (%s): want %s, got %s%s, value %s; %lu memslot updates so far",
		  p->vcpu->id, gva, gpa, where, want, outcome_names[r->outcome],
		  mmio, probe_describe_value(r->value, value, sizeof(value)),
		  p->vcpu->vm->memslot_updates);
}

void probe_expect_ram(struct probe *p, gva_t gva, uint64_t value)
{
	struct probe_result r = probe_read(p, gva, 8);
	char text[128], want[160];

	if (r.outcome == PROBE_RAM && r.value == value)
		return;
	snprintf(want, sizeof(want), "RAM with %s",
		 probe_describe_value(value, text, sizeof(text)));
	probe_unexpected(p, gva, &r, want);
}

void probe_expect_gap(struct probe *p, gva_t gva, gpa_t gpa)
{
	struct probe_result r = probe_read(p, gva, 8);
	char want[128];

	if (r.outcome != PROBE_MMIO || r.mmio.is_write || r.mmio.len != 8 ||
	    r.mmio.gpa != gpa || r.value != probe_gap_value(gpa)) {
		snprintf(want, sizeof(want), "KVM_EXIT_MMIO read of 8 bytes at gpa 0x%lx",
			 gpa);
		probe_unexpected(p, gva, &r, want);
	}
	r = probe_write(p, gva, 8, gpa + 1);
	if (r.outcome != PROBE_MMIO || !r.mmio.is_write || r.mmio.len != 8 ||
	    r.mmio.gpa != gpa || r.mmio.data != gpa + 1) {
		snprintf(want, sizeof(want),
			 "KVM_EXIT_MMIO write of 8 bytes at gpa 0x%lx data 0x%lx",
			 gpa, gpa + 1);
		probe_unexpected(p, gva, &r, want);
	}
}

/* ---- hammering ---- */

size_t probe_hammer_cell(const struct probe *p)
{
	return (8 + p->vcpu->id) * 64;
}

void probe_hammer_start(struct probe *p, unsigned int what)
{
	box_of(p)->stop_hammer = 0;
	box_of(p)->loops = 0;
	order(p, OP_HAMMER, 0, 0, what);
}

static void check_hammer(struct probe *p)
{
	volatile struct probe_box *box = box_of(p);
	const char *did = box->bad.seen == HAMMER_READ ? "read" :
			  box->bad.seen == HAMMER_WRITE ? "write, then read" : "call";
	char got[128], want[128], where[256];
	gpa_t gpa;

	if (!box->bad.seen)
		return;
	gpa = p->world->gpa + box->bad.page * PAGE_SIZE;
	TEST_FAIL("vCPU %u, after update %lu of the case: %s of page %lu, gpa 0x%lx (%s now): got %s, %s %s",
		  p->vcpu->id, box->bad.update, did, box->bad.page, gpa,
		  vm_describe_gpa(p->vcpu->vm, gpa, where, sizeof(where)),
		  probe_describe_value(box->bad.got, got, sizeof(got)),
		  box->bad.got == box->bad.want ? "must not be" : "want",
		  probe_describe_value(box->bad.want, want, sizeof(want)));
}

void probe_hammer_wait(struct probe *p)
{
	volatile struct probe_box *box = box_of(p);
	struct deadline d = deadline_start();
	uint64_t loops = box->loops;

	/* The loop in flight may have seen the window before the last update. */
	while (box->loops < loops + 2 && !box->bad.seen)
		deadline_wait(p, &d, "hammering");
	check_hammer(p);
}

void probe_hammer_stop(struct probe *p)
{
	volatile struct probe_box *box = box_of(p);
	struct deadline d = deadline_start();

	box->stop_hammer = 1;
	while (box->finished != box->ordered)
		deadline_wait(p, &d, "stopping to hammer");
	check_hammer(p);
}

void probe_hammer_hold(struct probe *p, bool hold)
{
	volatile struct probe_box *box = box_of(p);
	struct deadline d = deadline_start();

	if (box->op != OP_HAMMER || box->finished == box->ordered)
		return;
	box->hold = hold;
	while (box->held != hold)
		deadline_wait(p, &d, hold ? "standing still" : "getting on");
}

void probe_world_begin(struct probe *p)
{
	__atomic_store_n(&p->world->begun, p->world->begun + 1, __ATOMIC_SEQ_CST);
}

void probe_world_end(struct probe *p)
{
	__atomic_store_n(&p->world->done, p->world->begun, __ATOMIC_SEQ_CST);
}

/* ---- making probes ---- */

struct kvm_vm *vm_create_with_probes(unsigned int nr, struct probe probes[])
{
	struct kvm_vm *vm = vm_create(nr);
	int exits = vm_check_cap(vm, KVM_CAP_X86_DISABLE_EXITS);
	gva_t world = vm_alloc(vm, sizeof(struct probe_world));
	bool yields = nr >= sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int i;

	/* The loops of a probe must not leave guest mode. */
	if (exits > 0 && (exits & KVM_X86_DISABLE_EXITS_PAUSE))
		vm_enable_cap(vm, KVM_CAP_X86_DISABLE_EXITS,
			      KVM_X86_DISABLE_EXITS_PAUSE);
	for (i = 0; i < nr; i++) {
		struct probe *p = &probes[i];
		gva_t box = vm_alloc(vm, sizeof(struct probe_box));

		memset(p, 0, sizeof(*p));
		p->vcpu = vm_vcpu_add(vm, i, guest_probe);
		p->box = addr_gva2hva(vm, box);
		p->box->id = i;
		p->box->yields = yields;
		p->world = addr_gva2hva(vm, world);
		p->world_gva = world;
		vcpu_args_set(p->vcpu, 2, box, world);
		p->vcpu->thread_data = p;
	}
	return vm;
}

void probes_start(unsigned int nr, struct probe probes[])
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		vcpu_thread_start(probes[i].vcpu, probe_thread);
}
