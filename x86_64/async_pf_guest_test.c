// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that knows of pages which the host must get first: KVM tells it of each with
 * a #PF and a token, the guest does something else, and an interrupt with the token
 * says that the page has come (Documentation/virt/kvm/x86/msr.rst, MSR_KVM_ASYNC_PF_*).
 * async_pf_test has the guests that do not know.
 *
 * What breaks it: a token that two pages share or that stands for none, one that is
 * written over another which the guest has yet to read, a page that is announced before
 * it is there or never, a vCPU that hears what was told to be quiet.
 */
#include <asm/kvm_para.h>
#include <stdlib.h>
#include <string.h>

#include "dying.h"
#include "kvm_test_harness.h"
#include "userfault.h"

KVM_TEST_SUITE(async_pf_guest_test, .needs = { .mem_mb = 16, .timeout = 10 },
	.fixes = FIXES("6f3c1fc53d86 KVM: x86/mmu: make apf token non-zero to fix bug",
		       "2f15d027c05f KVM: x86: Properly handle APF vs disabled LAPIC situation"));

#define SLOT		1
#define GPA		SZ_1G
#define NR_PAGES	64UL		/* as many as KVM lets a vCPU wait for */
#define WORD(page)	(0xa5f00000 + (page))
#define VECTOR		0xf3
#define ENABLED		(KVM_ASYNC_PF_ENABLED | KVM_ASYNC_PF_DELIVERY_AS_INT)
#define SPIV_ON		0x1ff
#define SPIV_OFF	0xff
#define ALL_READY	(~0U)		/* KVM forgets what has been announced */
#define MAX_NOTES	(3 * NR_PAGES)
#define PATIENCE_MS	(test_seconds(2) * 1000)

/* ---- guest ---- */

/* KVM writes there. */
static struct kvm_vcpu_pv_apf_data apf __attribute__((aligned(64)));

enum { ORDER_TOUCH, ORDER_HALT, ORDER_ENABLE, ORDER_TAKE, ORDER_SPIV };

static struct {
	uint64_t what, arg;
	bool keep;		/* tokens stay where they are until ORDER_TAKE */
} order;

static struct {
	uint64_t nr_absent, nr_ready, nr_empty;
	uint64_t absent[MAX_NOTES];
	uint32_t ready[MAX_NOTES];
	uint64_t error_code;
	gva_t skip_to;		/* behind an access to an absent page */
} notes;

static void guest_on_pf(struct ex_regs *regs)
{
	uint64_t token = read_cr2();

	if (apf.flags != KVM_PV_REASON_PAGE_NOT_PRESENT)
		GUEST_FAIL("a #PF at 0x%lx, error code 0x%lx, with reason 0x%lx", token,
			   regs->error_code, (uint64_t)apf.flags);
	apf.flags = 0;
	notes.error_code = regs->error_code;
	notes.absent[notes.nr_absent++ % MAX_NOTES] = token;
	regs->rip = notes.skip_to;
}

static void guest_take_token(void)
{
	notes.ready[notes.nr_ready++ % MAX_NOTES] = apf.token;
	apf.token = 0;
	wrmsr(MSR_KVM_ASYNC_PF_ACK, 1);
}

static void guest_on_ready(struct ex_regs *regs)
{
	(void)regs;
	if (!apf.token)
		notes.nr_empty++;
	else if (!order.keep)
		guest_take_token();
	wrmsr(MSR_X2APIC_EOI, 0);
}

/* What is there, or where the access was skipped to. */
static uint64_t guest_touch(gva_t gva)
{
	uint64_t value;

	asm volatile("lea 1f(%%rip), %0\n\t"
		     "mov %0, %1\n\t"
		     "mov (%2), %0\n"
		     "1:" : "=&r"(value), "=m"(notes.skip_to) : "r"(gva) : "memory");
	return value;
}

static void guest_halt_until(uint64_t nr_ready)
{
	while (*(volatile uint64_t *)&notes.nr_ready < nr_ready) {
		asm volatile("cli" : : : "memory");
		if (*(volatile uint64_t *)&notes.nr_ready < nr_ready)
			asm volatile("sti\n\thlt" : : : "memory");
		asm volatile("sti" : : : "memory");
	}
}

static void guest_code(gpa_t apf_gpa)
{
	uint64_t value = 0;

	x2apic_enable();
	wrmsr(MSR_KVM_ASYNC_PF_INT, VECTOR);
	for (;;) {
		GUEST_SYNC(value);
		value = 0;
		switch (order.what) {
		case ORDER_TOUCH: value = guest_touch(order.arg); break;
		case ORDER_HALT: guest_halt_until(order.arg); break;
		case ORDER_ENABLE: wrmsr(MSR_KVM_ASYNC_PF_EN, order.arg ? apf_gpa | order.arg : 0); break;
		case ORDER_TAKE: guest_take_token(); break;
		case ORDER_SPIV: wrmsr(MSR_X2APIC_SPIV, order.arg); break;
		}
	}
}

/* ---- host ---- */

struct world {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct backing_mem mem;
	uint64_t *data;
	gva_t gva;
	int fd;
};

static uint64_t note(struct world *w, size_t offset)
{
	return *(volatile uint64_t *)((char *)addr_gva2hva(w->vm, (gva_t)&notes) + offset);
}
#define NOTE(w, field)	note(w, offsetof(__typeof__(notes), field))

static uint64_t absent(struct world *w, uint64_t i)
{
	sync_global_from_guest(w->vm, notes);
	return notes.absent[i];
}

static uint32_t ready(struct world *w, uint64_t i)
{
	sync_global_from_guest(w->vm, notes);
	return notes.ready[i];
}

static void give_order(struct world *w, uint64_t what, uint64_t arg)
{
	order.what = what;
	order.arg = arg;
	sync_global_to_guest(w->vm, order);
}

/* Returns what the guest has from it; fails when it is not done in time. */
static uint64_t do_order(struct world *w, uint64_t what, uint64_t arg, const char *name)
{
	struct ucall uc;
	int ret;

	give_order(w, what, arg);
	ret = __vcpu_run_for(w->vcpu, PATIENCE_MS);
	TEST_ASSERT_ORACLE(ORACLE_HANG, ret >= 0 || errno != EINTR,
			   "the guest does not get on: %s. It has been told of %lu absent pages, and %lu times of one that has come",
			   name, NOTE(w, nr_absent), NOTE(w, nr_ready));
	vcpu_check_exit(w->vcpu, ret);
	if (get_ucall(w->vcpu, &uc) != UCALL_SYNC)
		vcpu_unexpected_exit(w->vcpu, name);
	return uc.args[0];
}

static void expect_all_ready(struct world *w, uint64_t nth)
{
	do_order(w, ORDER_HALT, nth + 1, "it waits to hear that nothing is outstanding");
	TEST_ASSERT(ready(w, nth) == ALL_READY,
		    "the guest has switched async page faults on: want token 0x%x, got 0x%x",
		    ALL_READY, ready(w, nth));
}

static void enable(struct world *w, uint64_t bits)
{
	const uint64_t before = NOTE(w, nr_ready);

	breadcrumb("the guest sets its async page faults to 0x%lx", bits);
	do_order(w, ORDER_ENABLE, bits, "MSR_KVM_ASYNC_PF_EN");
	if (bits)
		expect_all_ready(w, before);
}

static void world_create(struct world *w)
{
	const struct kvm_cpuid_entry2 *features =
		get_cpuid_entry(kvm_get_supported_cpuid(), CPUID_KVM_FEATURES, 0);
	size_t i;

	__TEST_REQUIRE(features && features->eax & BIT(KVM_FEATURE_ASYNC_PF_INT),
		       "needs a KVM that announces pages by interrupts (CPUID 0x40000001 EAX bit 14)");
	memset(w, 0, sizeof(*w));
	w->vm = vm_create_with_one_vcpu(&w->vcpu, guest_code);
	vm_install_exception_handler(w->vm, PF_VECTOR, guest_on_pf);
	vm_install_exception_handler(w->vm, VECTOR, guest_on_ready);
	vcpu_args_set(w->vcpu, 1, addr_gva2gpa(w->vm, (gva_t)&apf));
	backing_mem_alloc(&w->mem, VM_MEM_SRC_ANONYMOUS, NR_PAGES * PAGE_SIZE, GPA);
	vm_mem_region_add_backing(w->vm, &w->mem, w->mem.hva, GPA, SLOT, NR_PAGES, 0);
	w->gva = vm_map_gpa(w->vm, GPA, NR_PAGES * PAGE_SIZE);
	w->data = calloc(NR_PAGES, PAGE_SIZE);
	TEST_ERROR_ON(!w->data, "no memory for a copy");
	for (i = 0; i < NR_PAGES; i++)
		w->data[i * PAGE_SIZE / 8] = WORD(i);
	w->fd = userfault_open(&w->mem, UFFDIO_REGISTER_MODE_MISSING);
	userfault_take_away(&w->mem);
	vcpu_expect_sync(w->vcpu, 0);
}

static void world_free(struct world *w)
{
	close(w->fd);
	kvm_vm_free(w->vm);
	backing_mem_free(&w->mem);
	free(w->data);
}

static void give(struct world *w, size_t page)
{
	userfault_give(w->fd, &w->mem, page, w->data);
}

static void *give_all_late(void *arg)
{
	struct world *w = arg;
	size_t i;

	/* On a slow host, too, after what the case's thread does first. */
	usleep(100000);
	for (i = 0; i < NR_PAGES; i++)
		__userfault_give(w->fd, &w->mem, i, w->data);
	return NULL;
}

static pthread_t start_giving_late(struct world *w)
{
	pthread_t host;

	errno = pthread_create(&host, NULL, give_all_late, w);
	TEST_ERROR_ON(errno, "cannot start a thread");
	return host;
}

static void expect_asked(struct world *w, size_t page)
{
	size_t got = userfault_wait(w->fd, &w->mem, 0);

	TEST_ASSERT(got == page, "the guest touches page %zu, but page %zu is asked for", page, got);
}

/* The guest hears of it, by a token that no other page has. Returns the token. */
static uint32_t touch_absent(struct world *w, size_t page)
{
	const uint64_t n = NOTE(w, nr_absent);
	uint64_t token, i;

	breadcrumb("touch page %zu, which is to come", page);
	do_order(w, ORDER_TOUCH, w->gva + page * PAGE_SIZE, "it is to hear that a page is absent");
	TEST_ASSERT(NOTE(w, nr_absent) == n + 1,
		    "the guest has touched page %zu, which is to come, and was told of %lu absent pages instead of one",
		    page, NOTE(w, nr_absent) - n);
	expect_asked(w, page);
	token = absent(w, n);
	TEST_ASSERT(token && token < ALL_READY, "page %zu is absent: 0x%lx is no token", page, token);
	for (i = 0; i < n; i++)
		TEST_ASSERT(absent(w, i) != token, "page %zu is absent: token 0x%lx was another page's",
			    page, token);
	TEST_ASSERT(!NOTE(w, error_code), "page %zu is absent: want error code 0, got 0x%lx", page,
		    NOTE(w, error_code));
	return token;
}

static void expect_there(struct world *w, size_t page)
{
	const uint64_t n = NOTE(w, nr_absent);
	uint64_t value = do_order(w, ORDER_TOUCH, w->gva + page * PAGE_SIZE, "it touches a page that is there");

	TEST_ASSERT(NOTE(w, nr_absent) == n && value == WORD(page),
		    "page %zu has come: the guest is told of %lu absent pages, and reads 0x%lx, want 0x%lx",
		    page, NOTE(w, nr_absent) - n, value, WORD(page));
}

/* The page of @token is announced, as the @nth of all. */
static void expect_ready(struct world *w, uint64_t nth, size_t page, uint32_t token)
{
	do_order(w, ORDER_HALT, nth + 1, "it halts until a page has come");
	/* QEMU 7.2 may deliver an interrupt twice that comes with VMRUN. */
	TEST_ASSERT(host_may_be_tcg() || !NOTE(w, nr_empty),
		    "%lu interrupts have come without a token", NOTE(w, nr_empty));
	TEST_ASSERT(NOTE(w, nr_ready) == nth + 1 && ready(w, nth) == token,
		    "page %zu has come: want its token, 0x%x, got 0x%x, and %lu interrupts", page,
		    token, ready(w, nth), NOTE(w, nr_ready) - nth);
}

KVM_TEST(each_page_is_announced)
{
	uint32_t token[NR_PAGES];
	unsigned int round;
	uint64_t heard;
	struct world w;
	size_t i, page;

	world_create(&w);
	enable(&w, ENABLED | KVM_ASYNC_PF_SEND_ALWAYS);
	for (round = 0; round < 2; round++) {
		heard = NOTE(&w, nr_ready);
		for (i = 0; i < NR_PAGES; i++)
			token[i] = touch_absent(&w, i);
		for (i = 0; i < NR_PAGES; i++) {
			page = (i * 37 + 5 + round) % NR_PAGES;
			give(&w, page);
			expect_ready(&w, heard + i, page, token[page]);
			expect_there(&w, page);
		}
		userfault_take_away(&w.mem);
	}
	world_free(&w);
}

/* The vCPU cannot be told of one twice, and halts as if it did not know. */
KVM_TEST(touched_again_it_halts)
{
	const size_t n = 16;
	uint32_t token[n];
	struct world w;
	uint64_t heard;
	struct ucall uc;
	size_t i, page;

	world_create(&w);
	enable(&w, ENABLED | KVM_ASYNC_PF_SEND_ALWAYS);
	heard = NOTE(&w, nr_ready);
	for (i = 0; i < n; i++)
		token[i] = touch_absent(&w, i);
	for (i = 0; i < n; i++) {
		page = (i * 5 + 2) % n;
		breadcrumb("touch page %zu once more", page);
		give_order(&w, ORDER_TOUCH, w.gva + page * PAGE_SIZE);
		TEST_ASSERT_ERRNO(__vcpu_run_for(w.vcpu, 5), EINTR,
				  "KVM_RUN of a vCPU for which page %zu is still to come", page);
		give(&w, page);
		vcpu_run_to_sync(w.vcpu, &uc);
		TEST_ASSERT(uc.args[0] == WORD(page) && NOTE(&w, nr_absent) == n,
			    "the guest was told of %lu absent pages, want %zu, and reads 0x%lx, want 0x%lx",
			    NOTE(&w, nr_absent), n, uc.args[0], WORD(page));
		expect_ready(&w, heard + i, page, token[page]);
	}
	world_free(&w);
}

/* KVM has a token for a guest that does not take it yet. */
static uint32_t wait_for_token(struct world *w)
{
	struct kvm_vcpu_pv_apf_data *data = addr_gva2hva(w->vm, (gva_t)&apf);
	unsigned int i;

	for (i = 0; i < PATIENCE_MS && !data->token; i++) {
		usleep(1000);
		do_order(w, ORDER_TOUCH, w->gva, "it goes on");
	}
	TEST_ASSERT_ORACLE(ORACLE_HANG, data->token, "a page has come, and there is no token");
	return data->token;
}

/* It is the guest's until it has written 0 there. */
KVM_TEST(token_is_not_overwritten)
{
	uint32_t token[3], got;
	struct world w;
	size_t i;

	world_create(&w);
	enable(&w, ENABLED | KVM_ASYNC_PF_SEND_ALWAYS);
	for (i = 0; i < 3; i++)
		token[i] = touch_absent(&w, i);
	breadcrumb("three pages come, and the guest does not take the first one's token");
	order.keep = true;
	give(&w, 0);
	got = wait_for_token(&w);
	TEST_ASSERT(got == token[0], "page 0 has come: want its token, 0x%x, got 0x%x", token[0], got);
	give(&w, 1);
	give(&w, 2);
	for (i = 0; i < 10; i++) {
		usleep(2000);
		do_order(&w, ORDER_TOUCH, w.gva, "it goes on");
		got = wait_for_token(&w);
		TEST_ASSERT(got == token[0], "the guest has not taken token 0x%x yet, and it has become 0x%x",
			    token[0], got);
	}
	do_order(&w, ORDER_TAKE, 0, "it takes a token");
	got = wait_for_token(&w);
	i = got == token[2] ? 2 : 1;
	TEST_ASSERT(got == token[i], "pages 1 and 2 have come: want token 0x%x or 0x%x, got 0x%x",
		    token[1], token[2], got);
	do_order(&w, ORDER_TAKE, 0, "it takes a token");
	got = wait_for_token(&w);
	TEST_ASSERT(got == token[3 - i], "page %zu has come: want token 0x%x, got 0x%x", 3 - i,
		    token[3 - i], got);
	do_order(&w, ORDER_TAKE, 0, "it takes a token");
	world_free(&w);
}

/* Off, or on for CPL 3 only, while this guest is at CPL 0: the vCPU halts. */
KVM_TEST(quiet_when_told)
{
	static const uint64_t bits[] = { 0, ENABLED };
	struct ucall uc;
	struct world w;
	size_t i;

	world_create(&w);
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		enable(&w, ENABLED | KVM_ASYNC_PF_SEND_ALWAYS);
		enable(&w, bits[i]);
		give_order(&w, ORDER_TOUCH, w.gva + i * PAGE_SIZE);
		TEST_ASSERT_ERRNO(__vcpu_run_for(w.vcpu, 20), EINTR,
				  "KVM_RUN of a vCPU that is not to be told that a page is absent");
		expect_asked(&w, i);
		give(&w, i);
		vcpu_run_to_sync(w.vcpu, &uc);
		TEST_ASSERT(uc.args[0] == WORD(i) && !NOTE(&w, nr_absent),
			    "with 0x%lx in MSR_KVM_ASYNC_PF_EN the guest is told of %lu absent pages, and reads 0x%lx, want 0x%lx",
			    bits[i], NOTE(&w, nr_absent), uc.args[0], WORD(i));
	}
	world_free(&w);
}

/* As before a guest's kernel has set it up: what it cannot hear yet has to wait. */
KVM_TEST(hears_when_its_apic_is_on)
{
	struct world w;
	uint64_t heard;
	uint32_t token;

	world_create(&w);
	heard = NOTE(&w, nr_ready);
	breadcrumb("async page faults are switched on while the local APIC is off");
	do_order(&w, ORDER_SPIV, SPIV_OFF, "it switches its local APIC off");
	do_order(&w, ORDER_ENABLE, ENABLED | KVM_ASYNC_PF_SEND_ALWAYS, "MSR_KVM_ASYNC_PF_EN");
	do_order(&w, ORDER_SPIV, SPIV_ON, "it switches its local APIC on");
	expect_all_ready(&w, heard);
	token = touch_absent(&w, 0);
	breadcrumb("page 0 comes while the local APIC is off");
	do_order(&w, ORDER_SPIV, SPIV_OFF, "it switches its local APIC off");
	give(&w, 0);
	usleep(20000);
	expect_there(&w, 0);
	TEST_ASSERT(NOTE(&w, nr_ready) == heard + 1, "the guest's local APIC is off, and there was an interrupt");
	do_order(&w, ORDER_SPIV, SPIV_ON, "it switches its local APIC on");
	expect_ready(&w, heard + 1, 0, token);
	world_free(&w);
}

/* KVM waits for what is to come when the guest switches it off, and announces none of it. */
KVM_TEST(switched_off_and_on_meanwhile)
{
	struct world w;
	pthread_t host;
	uint64_t heard;
	uint32_t token;

	world_create(&w);
	enable(&w, ENABLED | KVM_ASYNC_PF_SEND_ALWAYS);
	touch_absent(&w, 0);
	touch_absent(&w, 1);
	heard = NOTE(&w, nr_ready);
	host = start_giving_late(&w);
	enable(&w, 0);
	pthread_join(host, NULL);
	expect_there(&w, 0);
	expect_there(&w, 1);
	TEST_ASSERT(NOTE(&w, nr_ready) == heard, "the guest has switched async page faults off, and hears that a page has come, token 0x%x",
		    ready(&w, heard));
	userfault_take_away(&w.mem);
	enable(&w, ENABLED | KVM_ASYNC_PF_SEND_ALWAYS);
	heard = NOTE(&w, nr_ready);
	token = touch_absent(&w, 2);
	give(&w, 2);
	expect_ready(&w, heard, 2, token);
	expect_there(&w, 2);
	world_free(&w);
}

/* ---- the end ---- */

/* Of four pages that were announced as absent, two have come, and one of them was heard of. */
static struct kvm_vm *live_and_wait(void *arg)
{
	struct world *w = arg;
	size_t i;

	world_create(w);
	enable(w, ENABLED | KVM_ASYNC_PF_SEND_ALWAYS);
	order.keep = true;
	for (i = 0; i < 4; i++)
		touch_absent(w, i);
	give(w, 0);
	give(w, 1);
	do_order(w, ORDER_TOUCH, w->gva, "it goes on");
	/* Whoever closes the fds in order waits for the pages. */
	start_giving_late(w);
	return w->vm;
}

VM_DEATH_VARIANTS(vm)

KVM_TEST_F(vm, dies_while_pages_come)
{
	static struct world w;

	vm_die_in_child(variant->how, live_and_wait, &w);
}

KVM_TEST_MAIN()
