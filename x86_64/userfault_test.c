// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory under userfaultfd: a page that is missing comes when the guest
 * touches it, as after a migration, and one that is write-protected does not change
 * until the host lets it, as for a snapshot. Each access that must wait is reported,
 * and none is made through a translation from before.
 *
 * What breaks it: an invalidation that leaves an SPTE or a TLB entry behind, a fault
 * that maps what is protected, one that is not retried after it has slept.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "guest_modes.h"
#include "guest_pages.h"
#include "kvm_test_harness.h"
#include "processor.h"
#include "userfault.h"

KVM_TEST_SUITE(userfault_test, .needs = { .mem_mb = 64 });

#define AREA_GPA	(5 * SZ_1G)
#define DATA_SLOT	1

static void create(struct page_vm *p, struct backing_mem *mem,
		   enum vm_mem_backing_src_type src, size_t size)
{
	page_vm_create(p, 1, AREA_GPA, size, PG_LEVEL_2M, 1);
	page_vm_add_mem(p, mem, src, DATA_SLOT);
}

/* As a VM is resumed before all of its memory has come. */
KVM_TEST(missing_pages_come_one_by_one)
{
	const size_t n = 32, size = n * PAGE_SIZE;
	char *data = malloc(size);
	bool there[32];
	struct backing_mem mem;
	struct page_vm p;
	unsigned int round;
	size_t i, page;
	int fd;

	TEST_ERROR_ON(!data, "no memory for a copy");
	create(&p, &mem, VM_MEM_SRC_ANONYMOUS, size);
	memcpy(data, mem.hva, size);
	fd = userfault_open(&mem, UFFDIO_REGISTER_MODE_MISSING);
	page_worker_start(&p.workers[0], PAGES_READ_LOOP);
	for (round = 0; round < 3; round++) {
		breadcrumb("take all pages away, %u", round);
		userfault_take_away(&mem);
		memset(there, 0, sizeof(there));
		for (i = 0; i < n; i++) {
			page = userfault_wait(fd, &mem, 0);
			TEST_ASSERT(!there[page], "the guest faults on page %zu, which it was given: KVM does not map it",
				    page);
			there[page] = true;
			userfault_give(fd, &mem, page, data);
		}
		page_worker_wait_loops(&p.workers[0], 1);
	}
	page_worker_stop(&p.workers[0], "while its memory came page by page");
	page_area_check(&p.area, "after all pages have come");
	close(fd);
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
	free(data);
}

/* Faults that KVM has ended without a mapping or an emulation: the guest has them again. */
static int64_t faults_tried_again(struct kvm_vm *vm)
{
	int64_t taken, spurious, emulated;

	__TEST_REQUIRE(vm_read_stat(vm, "pf_taken", &taken) &&
		       vm_read_stat(vm, "pf_spurious", &spurious) &&
		       vm_read_stat(vm, "pf_emulate", &emulated),
		       "needs the statistics of faults that KVM has since 5.19");
	return taken - vm_get_stat(vm, pf_fixed) - spurious - emulated;
}

static void drop_page(void *page)
{
	TEST_ERROR_ON(madvise(page, PAGE_SIZE, MADV_DONTNEED), "MADV_DONTNEED");
}

/* To change how pages may be mapped, KVM drops all that it has mapped. */
static void drop_all_roots(void *page)
{
	const bool on = kvm_get_module_param_bool("kvm", "nx_huge_pages");

	(void)page;
	kvm_set_module_param("kvm", "nx_huge_pages", on ? "N" : "Y");
}

FIXTURE_VARIANT(sleeping_fault) {
	void (*invalidate)(void *page);
	const char *what;
};
KVM_FIXTURE(sleeping_fault)
FIXTURE_VARIANT_ADD(sleeping_fault, page) { drop_page, "page" };
FIXTURE_VARIANT_ADD(sleeping_fault, roots) { drop_all_roots, "root" };

/*
 * A fault knows slot and root, and sleeps until the host has the page; meanwhile the
 * host invalidates that page, from the notifier's start to its end, or KVM the root.
 * What the fault comes back with may be what the host has taken away, or has no place
 * any more, and is not mapped: the guest faults once more.
 */
KVM_TEST_F(sleeping_fault, is_tried_again, .privileged = true)
{
	const size_t n = 32, size = n * PAGE_SIZE;
	char *data = malloc(size);
	struct backing_mem mem;
	struct page_vm p;
	int64_t before, again;
	size_t i, page;
	int fd;

	TEST_ERROR_ON(!data, "no memory for a copy");
	if (variant->invalidate == drop_all_roots)
		kvm_set_module_param("kvm", "nx_huge_pages", "N");
	create(&p, &mem, VM_MEM_SRC_ANONYMOUS, size);
	memcpy(data, mem.hva, size);
	fd = userfault_open(&mem, UFFDIO_REGISTER_MODE_MISSING);
	before = faults_tried_again(p.vm);
	userfault_take_away(&mem);
	vcpu_sleep_in_faults(p.vcpus[0]);
	page_worker_start(&p.workers[0], PAGES_READ_LOOP);
	breadcrumb("invalidate the %s that faults sleep with", variant->what);
	for (i = 0; i < n; i++) {
		page = userfault_wait(fd, &mem, 0);
		variant->invalidate((char *)mem.hva + page * PAGE_SIZE);
		/* It never ends where the CPU holds the host's interrupts back, too. */
		p.workers[0].job->stop = i == n - 1;
		userfault_give(fd, &mem, page, data);
	}
	page_worker_stop(&p.workers[0], "while its memory came page by page");
	again = faults_tried_again(p.vm) - before;
	TEST_ASSERT_ORACLE(ORACLE_STATS, again >= (int64_t)n,
			   "%zu faults slept while their %s was invalidated, but only %ld were tried again: KVM maps what it has found before",
			   n, variant->what, again);
	page_area_check(&p.area, "after all pages have come");
	close(fd);
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
	free(data);
}

/* ---- by roots that are no page of their own ---- */

FIXTURE_VARIANT(mode) {
	enum cpu_mode mode;
};
KVM_FIXTURE(mode)
FIXTURE_VARIANT_ADD(mode, nonpaged) { MODE_NONPAGED };
FIXTURE_VARIANT_ADD(mode, 32bit) { MODE_32BIT };
FIXTURE_VARIANT_ADD(mode, pae) { MODE_PAE };

/* Those of the window that are the same pages in all modes. */
#define FIRST_PAGE	(MODES_WINDOW_PAGES / 2)
#define NR_TRIED	(MODES_WINDOW_PAGES - FIRST_PAGE)

static void run_modes(struct kvm_vcpu *vcpu)
{
	if (vcpu_run_unless_stopped(vcpu) &&
	    (vcpu->run->exit_reason != KVM_EXIT_IO || vcpu->run->io.port != MODES_DONE_PORT))
		vcpu_unexpected_exit(vcpu, "the end of the guest's steps");
}

/* As above; shadow paging has four roots then, in a page that is not shadowed itself. */
KVM_TEST_F(mode, fault_is_tried_again_with_other_roots, .privileged = true)
{
	const size_t size = MODES_DATA_PAGES * PAGE_SIZE;
	int64_t before, again;
	struct modes_step *s;
	struct modes m;
	size_t i, page;
	char *data;
	int fd;

	kvm_set_module_param("kvm", "nx_huge_pages", "N");
	modes_create(&m);
	data = malloc(size);
	TEST_ERROR_ON(!data, "no memory for a copy");
	memcpy(data, m.data.hva, size);
	modes_switch(&m, variant->mode);
	modes_run(&m, "to the mode");
	vcpu_sleep_in_faults(m.vcpu);
	fd = userfault_open(&m.data, UFFDIO_REGISTER_MODE_MISSING);
	before = faults_tried_again(m.vm);
	userfault_take_away(&m.data);
	s = &m.box->step[m.box->nr];
	for (i = FIRST_PAGE; i < MODES_WINDOW_PAGES; i++)
		modes_add(&m, MODES_READ, variant->mode == MODE_NONPAGED ?
			  MODES_DATA_GPA + i * PAGE_SIZE : modes_window(i), 0);
	breadcrumb("invalidate the roots that faults sleep with");
	vcpu_thread_start(m.vcpu, run_modes);
	for (i = FIRST_PAGE; i < MODES_WINDOW_PAGES; i++) {
		page = userfault_wait(fd, &m.data, 0);
		drop_all_roots(NULL);
		userfault_give(fd, &m.data, page, data);
	}
	vcpu_thread_join(m.vcpu);
	again = faults_tried_again(m.vm) - before;
	TEST_ASSERT_ORACLE(ORACLE_STATS, again >= NR_TRIED,
			   "%u faults slept while their root was invalidated, but only %ld were tried again: KVM maps into what it has dropped",
			   NR_TRIED, again);
	for (i = 0; i < NR_TRIED; i++)
		TEST_ASSERT(s[i].got == 0xda7a0000 + FIRST_PAGE + i,
			    "the guest reads 0x%x at 0x%x, want 0x%lx", s[i].got, s[i].addr,
			    0xda7a0000 + FIRST_PAGE + i);
	close(fd);
	free(data);
	modes_free(&m);
}

static void write_protect(int fd, void *hva, size_t size, bool protect)
{
	struct uffdio_writeprotect wp = {
		.range = { (uintptr_t)hva, size },
		.mode = protect ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	TEST_ERROR_ON(ioctl(fd, UFFDIO_WRITEPROTECT, &wp), "UFFDIO_WRITEPROTECT");
}

FIXTURE_VARIANT(protected) {
	enum vm_mem_backing_src_type src;
};
KVM_FIXTURE(protected)
FIXTURE_VARIANT_ADD(protected, of_4k) { VM_MEM_SRC_ANONYMOUS };
FIXTURE_VARIANT_ADD(protected, thp) { VM_MEM_SRC_ANONYMOUS_THP };

/* As a snapshot is taken: a page does not change between here and the copy. */
KVM_TEST_F(protected, pages_do_not_change)
{
	const size_t page = 300, size = 2 * SZ_2M;
	const gpa_t gpa = AREA_GPA + page * PAGE_SIZE + PAGE_USER_WORD * 8;
	struct backing_mem mem;
	volatile uint64_t *word;
	struct page_worker *w;
	struct page_vm p;
	uint64_t before;
	int64_t flushes;
	unsigned int i;
	int fd;

	create(&p, &mem, variant->src, size);
	w = &p.workers[0];
	page_worker_write(w, 0, p.area.npages, 2);
	fd = userfault_open(&mem, UFFDIO_REGISTER_MODE_WP);
	word = addr_gpa2hva(p.vm, gpa);
	for (i = 0; i < 8; i++) {
		page_worker_hot(w, PAGES_HOT_WRITE, gpa);
		if (!i)
			breadcrumb("protect pages that the guest writes");
		flushes = vm_tlb_flush_requests(p.vm);
		write_protect(fd, mem.hva, size, true);
		before = *word;
		vm_expect_tlb_flush(p.vm, flushes, "the host has protected what the guest writes");
		TEST_ASSERT_EQ(userfault_wait(fd, &mem, UFFD_PAGEFAULT_FLAG_WP), page);
		TEST_ASSERT(*word == before,
			    "gpa 0x%lx was 0x%lx when the host had protected it, and is 0x%lx now: the running guest still writes it (try %u)",
			    gpa, before, *word, i);
		write_protect(fd, mem.hva, size, false);
		page_worker_go(w);
	}
	page_worker_stop(w, "writing protected memory");
	page_worker_write(w, 0, p.area.npages, 3);
	page_area_check(&p.area, "after all is writable again");
	close(fd);
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

KVM_TEST_MAIN()
