// SPDX-License-Identifier: GPL-2.0-only
/* Patterned guest memory, and the guests that write and check it. */
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

#include "guest_pages.h"
#include "ucall.h"

/* A word says what it is: magic, round, index in the page, gfn. */
#define WORD_MAGIC	0xa5UL

static uint64_t page_word(gpa_t gpa, unsigned int round, unsigned int index)
{
	return WORD_MAGIC << 56 | (uint64_t)round << 48 | (uint64_t)index << 36 |
	       gpa >> PAGE_SHIFT;
}

static const char *describe_word(uint64_t word, char *buf, size_t size)
{
	if (word >> 56 == WORD_MAGIC)
		snprintf(buf, size, "0x%lx (gpa 0x%lx word %lu of round %lu)", word,
			 (word & (BIT(36) - 1)) << PAGE_SHIFT, (word >> 36) & 511,
			 (word >> 48) & 255);
	else
		snprintf(buf, size, "0x%lx (no page's pattern)", word);
	return buf;
}

/* With few words per page, another one in each. */
static unsigned int first_word(gpa_t gpa, unsigned int step)
{
	return (gpa >> PAGE_SHIFT) % step % PAGE_USER_WORD;
}

/* Host and guest share this loop; false on a wrong word. */
static bool check_page(const volatile uint64_t *page, gpa_t gpa, unsigned int round,
		       unsigned int step, volatile struct page_job *result)
{
	unsigned int end = round == ROUND_ZERO ? PAGE_WORDS : PAGE_USER_WORD;
	unsigned int i = first_word(gpa, step);
	uint64_t want, got;

	for (; i < end; i += step) {
		want = round == ROUND_ZERO ? 0 : page_word(gpa, round, i);
		got = page[i];
		if (got == want)
			continue;
		if (!result->bad++) {
			result->bad_gpa = gpa;
			result->bad_word = i;
			result->want = want;
			result->got = got;
		}
		return false;
	}
	return true;
}

static void write_page(volatile uint64_t *page, gpa_t gpa, unsigned int round,
		       unsigned int step)
{
	unsigned int i = first_word(gpa, step);

	for (; i < PAGE_USER_WORD; i += step)
		page[i] = page_word(gpa, round, i);
}

/* ---- guest ---- */

static volatile uint64_t *guest_page(volatile struct page_job *job, uint64_t i)
{
	return (volatile uint64_t *)(job->gpa + i * PAGE_SIZE);
}

/*
 * All pages in an order of their own: the first touch of a large page is to be
 * anywhere in it.
 */
#define for_each_page(job, i, n)						\
	for (n = 0, i = job->first; n < job->npages;			\
	     n++, i = (i + job->stride) % job->npages)

static bool guest_read_pages(volatile struct page_job *job)
{
	uint64_t i, n;

	for_each_page(job, i, n) {
		if (job->round[i] != ROUND_NONE)
			check_page(guest_page(job, i), job->gpa + i * PAGE_SIZE,
				   job->round[i], job->step, job);
	}
	return !job->bad;
}

static void guest_write_pages(volatile struct page_job *job)
{
	uint64_t i, n;

	for_each_page(job, i, n) {
		if (job->todo[i] != ROUND_NONE)
			write_page(guest_page(job, i), job->gpa + i * PAGE_SIZE,
				   job->todo[i], job->step);
	}
}

static void guest_bump_page(volatile struct page_job *job, uint64_t i, uint64_t n)
{
	volatile uint64_t *word = guest_page(job, i) + PAGE_USER_WORD;
	uint64_t got = *word;

	if (got != n - 1 && !job->bad++) {
		job->bad_gpa = job->gpa + i * PAGE_SIZE;
		job->bad_word = PAGE_USER_WORD;
		job->want = n - 1;
		job->got = got;
	}
	*word = n;
}

static void guest_bump_loop(volatile struct page_job *job)
{
	uint64_t i, n;

	for (n = job->loops + 1; !job->stop && !job->bad; n++) {
		for (i = 0; i < job->npages; i++) {
			if (job->round[i] != ROUND_NONE)
				guest_bump_page(job, i, n);
		}
		job->loops = n;
	}
}

static void guest_random_loop(volatile struct page_job *job)
{
	uint64_t x = job->seed | 1, n, i;

	for (n = 0; !job->stop; n++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		i = x % job->npages;
		if (job->round[i] != ROUND_NONE)
			guest_page(job, i)[PAGE_USER_WORD] = x;
		if (!(n % 64))
			job->loops++;
	}
}

/*
 * While go is even: hot. Odd: one access after that was seen, then none. No PAUSE
 * here: KVM may intercept it, and an exit may flush the TLB.
 */
static void guest_hot_loop(volatile struct page_job *job, bool is_write)
{
	volatile uint64_t *word = (volatile uint64_t *)job->addr;
	uint64_t v = job->value;

	while (!job->stop) {
		uint64_t go = job->go;

		if (go & 1 && go == job->done)
			continue;
		if (is_write)
			*word = ++v;
		else
			v = *word;
		job->value = v;
		job->loops++;
		job->done = go;
	}
}

void guest_page_worker(struct page_job *the_job)
{
	volatile struct page_job *job = the_job;
	uint64_t error_code;

	for (;;) {
		switch (job->op) {
		case PAGES_READ:
			guest_read_pages(job);
			break;
		case PAGES_WRITE:
			guest_write_pages(job);
			break;
		case PAGES_ACCESS:
			if (job->is_write)
				guest_write64(job->addr, job->value);
			else
				job->value = guest_read64(job->addr);
			break;
		case PAGES_EXEC:
			job->value = guest_call_safe(job->addr, &error_code);
			job->error_code = error_code;
			break;
		case PAGES_READ_LOOP:
			while (!job->stop && guest_read_pages(job))
				job->loops++;
			break;
		case PAGES_BUMP_LOOP:
			guest_bump_loop(job);
			break;
		case PAGES_RANDOM_LOOP:
			guest_random_loop(job);
			break;
		case PAGES_HOT_READ:
		case PAGES_HOT_WRITE:
			guest_hot_loop(job, job->op == PAGES_HOT_WRITE);
			break;
		}
		GUEST_SYNC(job->op);
	}
}

/* ---- host: areas ---- */

/* Accessed and dirty from the start, as an OS would have them. */
static void map_area(struct page_area *area, size_t size)
{
	size_t leaf = PG_LEVEL_SIZE(area->leaf);
	gpa_t gpa = align_down(area->gpa, leaf);
	gpa_t end = align_up(area->gpa + size, leaf);

	for (; gpa < end; gpa += leaf) {
		__virt_pg_map(area->vm, gpa, gpa, area->leaf);
		/*
		 * Shadow paging maps a clean page read-only first, through
		 * page tables of another role, which stay and are counted.
		 */
		*vm_get_pte(area->vm, gpa, NULL) |= PTE_ACCESSED_MASK |
						    PTE_DIRTY_MASK;
	}
}

void page_area_init(struct page_area *area, struct kvm_vm *vm, gpa_t gpa,
		    size_t size, int leaf, unsigned int step)
{
	memset(area, 0, sizeof(*area));
	area->vm = vm;
	area->gpa = gpa;
	area->npages = size / PAGE_SIZE;
	area->leaf = leaf;
	area->step = step;
	area->base_4k = -1;
	map_area(area, size);
	area->round_gva = vm_alloc(vm, area->npages);
	area->todo_gva = vm_alloc(vm, area->npages);
	area->round = addr_gva2hva(vm, area->round_gva);
	area->todo = addr_gva2hva(vm, area->todo_gva);
}

void page_area_set_round(struct page_area *area, uint64_t first, uint64_t n,
			 unsigned int round)
{
	TEST_ERROR_ON(first + n > area->npages, "page %lu is not in the area",
		      first + n);
	memset(area->round + first, round, n);
}

void page_area_fill(struct page_area *area, uint64_t first, uint64_t n,
		    unsigned int round)
{
	uint64_t i;

	page_area_set_round(area, first, n, round);
	for (i = first; i < first + n; i++) {
		gpa_t gpa = area->gpa + i * PAGE_SIZE;
		uint64_t *page = addr_gpa2hva(area->vm, gpa);

		write_page(page, gpa, round, area->step);
		page[PAGE_USER_WORD] = 0;
	}
}

void page_area_fill_sparsely(struct page_area *area, unsigned int round)
{
	const uint64_t large = SZ_2M / PAGE_SIZE, start = area->gpa / PAGE_SIZE;
	const uint64_t end = start + area->npages;
	uint64_t gfn, first;

	for (gfn = start; gfn < end; gfn++) {
		first = align_down(gfn, large);
		/* The ends may be mapped with 4K pages: they are complete. */
		if (first <= start || first + large >= end || gfn == first ||
		    gfn == first + large - 1 || gfn == first + first / large * 37 % large)
			page_area_fill(area, gfn - start, 1, round);
	}
}

static void report_bad(struct page_area *area, const char *who,
		       const volatile struct page_job *job, const char *when)
{
	char where[256], want[96], got[96];

	if (!job->bad)
		return;
	test_fail(ORACLE_DATA, __FILE__, __LINE__, NULL,
		  "%s: %s finds word %lu of gpa 0x%lx in %s wrong: want %s, got %s; %lu pages are wrong, guest leaves are %lu kB",
		  when, who, job->bad_word, job->bad_gpa,
		  vm_describe_gpa(area->vm, job->bad_gpa, where, sizeof(where)),
		  describe_word(job->want, want, sizeof(want)),
		  describe_word(job->got, got, sizeof(got)), job->bad,
		  PG_LEVEL_SIZE(area->leaf) / 1024);
}

void page_area_check(struct page_area *area, const char *when)
{
	struct page_job result = {};
	uint64_t i;

	for (i = 0; i < area->npages; i++) {
		gpa_t gpa = area->gpa + i * PAGE_SIZE;

		if (area->round[i] != ROUND_NONE)
			check_page(addr_gpa2hva(area->vm, gpa), gpa, area->round[i],
				   area->step, &result);
	}
	report_bad(area, "the host", &result, when);
}

/* ---- host: workers ---- */

void page_worker_init(struct page_worker *w, struct kvm_vcpu *vcpu,
		      struct page_area *area)
{
	gva_t job = vm_alloc(vcpu->vm, sizeof(*w->job));

	w->vcpu = vcpu;
	w->area = area;
	w->job = addr_gva2hva(vcpu->vm, job);
	vcpu_args_set(vcpu, 1, job);
}

void page_vm_create(struct page_vm *p, uint32_t nr_vcpus, gpa_t gpa, size_t size,
		    int leaf, unsigned int step)
{
	page_vm_create_type(p, KVM_X86_DEFAULT_VM, nr_vcpus, gpa, size, leaf, step);
}

void page_vm_create_type(struct page_vm *p, unsigned long type, uint32_t nr_vcpus,
			 gpa_t gpa, size_t size, int leaf, unsigned int step)
{
	uint32_t i;

	TEST_ERROR_ON(nr_vcpus > PAGE_VM_VCPUS, "%u vCPUs are too many", nr_vcpus);
	p->vm = vm_create_type_with_vcpus(type, nr_vcpus, guest_page_worker, p->vcpus);
	page_area_init(&p->area, p->vm, gpa, size, leaf, step);
	for (i = 0; i < nr_vcpus; i++)
		page_worker_init(&p->workers[i], p->vcpus[i], &p->area);
}

void page_vm_add_mem(struct page_vm *p, struct backing_mem *mem,
		     enum vm_mem_backing_src_type src, uint32_t slot)
{
	struct page_area *area = &p->area;
	const size_t size = area->npages * PAGE_SIZE;

	backing_mem_alloc(mem, src, size, area->gpa);
	vm_mem_region_add_backing(p->vm, mem, mem->hva, area->gpa, slot, area->npages, 0);
	page_area_fill(area, 0, area->npages, 1);
	if (src != VM_MEM_SRC_ANONYMOUS_THP)
		return;
	backing_require_huge(mem->hva, size);
	TEST_ERROR_ON(madvise(mem->hva, size, MADV_NOHUGEPAGE), "MADV_NOHUGEPAGE");
}

/* A number that has no divisor in common with @n. */
static uint64_t random_stride(uint64_t n)
{
	uint64_t stride, a, b, t;

	do {
		stride = test_random() % n + 1;
		for (a = n, b = stride; b; t = a % b, a = b, b = t)
			;
	} while (a != 1);
	return stride;
}

static void set_job(struct page_worker *w, enum page_op op)
{
	struct page_area *area = w->area;

	*w->job = (struct page_job){
		.op = op,
		.gpa = area->gpa,
		.npages = area->npages,
		.step = area->step,
		.round = (const uint8_t *)area->round_gva,
		.todo = (const uint8_t *)area->todo_gva,
		.first = test_random() % area->npages,
		.stride = random_stride(area->npages),
	};
}

void page_worker_end(struct page_worker *w)
{
	vcpu_expect_sync(w->vcpu, w->job->op);
}

void page_worker_read(struct page_worker *w, const char *when)
{
	set_job(w, PAGES_READ);
	page_worker_end(w);
	report_bad(w->area, "the guest", w->job, when);
}

void page_worker_write_todo(struct page_worker *w)
{
	struct page_area *area = w->area;
	uint64_t i;

	set_job(w, PAGES_WRITE);
	page_worker_end(w);
	for (i = 0; i < area->npages; i++) {
		if (area->todo[i] != ROUND_NONE)
			area->round[i] = area->todo[i];
		area->todo[i] = ROUND_NONE;
	}
}

void page_worker_write(struct page_worker *w, uint64_t first, uint64_t n,
		       unsigned int round)
{
	uint64_t i;

	TEST_ERROR_ON(first + n > w->area->npages, "page %lu is not in the area",
		      first + n);
	for (i = first; i < first + n; i++) {
		if (w->area->round[i] != ROUND_NONE)
			w->area->todo[i] = round;
	}
	page_worker_write_todo(w);
}

void page_worker_access(struct page_worker *w, gpa_t gpa, bool is_write,
			uint64_t value)
{
	set_job(w, PAGES_ACCESS);
	w->job->addr = gpa;
	w->job->is_write = is_write;
	w->job->value = value;
}

uint64_t page_worker_read64(struct page_worker *w, gpa_t gpa)
{
	page_worker_access(w, gpa, false, 0);
	page_worker_end(w);
	return w->job->value;
}

void page_worker_exec(struct page_worker *w, gpa_t gpa)
{
	set_job(w, PAGES_EXEC);
	w->job->addr = gpa;
	page_worker_end(w);
	TEST_ASSERT(!w->job->value,
		    "the guest calls gpa 0x%lx and takes vector %lu, error code 0x%lx",
		    gpa, w->job->value, w->job->error_code);
}

void page_worker_expect_efault(struct page_worker *w, gpa_t gpa, bool is_write,
			       const char *what)
{
	int ret;

	page_worker_access(w, gpa, is_write, 0x55);
	ret = _vcpu_run(w->vcpu);
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, ret < 0 && errno == EFAULT,
			   "the guest's %s of gpa 0x%lx, which the host has made %s: want KVM_RUN to return EFAULT, got %d, errno %d (%s), exit %s",
			   is_write ? "write" : "read", gpa, what, ret,
			   ret ? errno : 0, ret ? strerror(errno) : "",
			   exit_reason_str(w->vcpu->run->exit_reason));
}

/* Both ways: a read shows a stale translation, a write what it would destroy. */
void page_worker_expect_gap(struct page_worker *w, gpa_t gpa)
{
	const uint64_t answer = 0x0bad0000feed0000UL ^ gpa;

	page_worker_access(w, gpa, false, 0);
	vcpu_expect_mmio_read(w->vcpu, gpa, 8, answer);
	page_worker_end(w);
	TEST_ASSERT(w->job->value == answer,
		    "the read of gap gpa 0x%lx was answered with 0x%lx, but the guest got 0x%lx",
		    gpa, answer, w->job->value);
	page_worker_access(w, gpa, true, ~answer);
	vcpu_expect_mmio_write(w->vcpu, gpa, 8, ~answer);
	page_worker_end(w);
}

/* ---- host: workers in their own threads ---- */

static volatile struct page_job *shared_job(struct page_worker *w)
{
	return w->job;
}

/* job->stop ends the guest's loop, which it says by its GUEST_SYNC. */
static void worker_thread(struct kvm_vcpu *vcpu)
{
	if (vcpu_run_unless_stopped(vcpu) && get_ucall(vcpu, NULL) != UCALL_SYNC)
		vcpu_unexpected_exit(vcpu, "GUEST_SYNC");
}

static void start_thread(struct page_worker *w)
{
	/* Each has its own sequence, and a failure can be repeated. */
	w->job->seed = test_random();
	vcpu_thread_start(w->vcpu, worker_thread);
}

void page_worker_start(struct page_worker *w, enum page_op op)
{
	set_job(w, op);
	start_thread(w);
}

void page_worker_stop(struct page_worker *w, const char *when)
{
	shared_job(w)->stop = 1;
	vcpu_thread_join(w->vcpu);
	report_bad(w->area, "the guest", w->job, when);
}

void page_worker_wait_loops(struct page_worker *w, uint64_t n)
{
	uint64_t until = shared_job(w)->loops + n;

	/* A guest that found wrong data has stopped; page_worker_stop() says so. */
	while (shared_job(w)->loops < until && !shared_job(w)->bad)
		usleep(200);
}

/* Threads that share a CPU take turns, and each turn is an exit that flushes. */
static void pin_apart(pthread_t vcpu)
{
	static cpu_set_t all;
	pthread_t threads[] = { pthread_self(), vcpu };
	unsigned int i;
	cpu_set_t one;
	int cpu = -1;

	/* Of the whole process, before the first call narrows it down. */
	if (!CPU_COUNT(&all) && sched_getaffinity(0, sizeof(all), &all))
		return;
	for (i = 0; i < ARRAY_SIZE(threads) && CPU_COUNT(&all) > 1; i++) {
		do {
			cpu++;
		} while (!CPU_ISSET(cpu, &all));
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		pthread_setaffinity_np(threads[i], sizeof(one), &one);
	}
}

void page_worker_hot(struct page_worker *w, enum page_op op, gpa_t gpa)
{
	if (!w->vcpu->running) {
		set_job(w, op);
		w->job->addr = gpa;
		start_thread(w);
		pin_apart(w->vcpu->thread);
	} else {
		shared_job(w)->go++;
	}
	page_worker_wait_loops(w, 16);
}

uint64_t page_worker_go(struct page_worker *w)
{
	volatile struct page_job *job = shared_job(w);

	job->go++;
	while (job->done != job->go)
		usleep(100);
	return job->value;
}
