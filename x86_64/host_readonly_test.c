// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that the host may only read as long as nobody writes: pages of a file that is
 * mapped privately. The guest gives itself all rights to them, and takes some away, by
 * its page tables; when it writes, the host makes a copy, and the file stays as it was.
 *
 * What breaks it: shadow paging that goes by the guest's new entry alone when it syncs a
 * table, or maps what is near the page that the guest has touched, and forgets that the
 * host has the page only for reading.
 *
 * memslot_hva_test has such memory without any edits of page tables.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "guest_paging.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(host_readonly_test);

#define A		PTE_ACCESSED_MASK
#define AD		(PTE_ACCESSED_MASK | PTE_DIRTY_MASK)
#define NR_MAPPED	24
#define FIRST_PAGE	20
#define DATA_SIZE	(POOL_DATA_PAGES * PAGE_SIZE)

enum flush { BY_CR3, BY_PGE, BY_INVLPG, NR_FLUSHES };

static const char *const flush_names[NR_FLUSHES] = {
	"a CR3 write", "CR4.PGE", "INVLPG",
};

/* What an entry allows before the guest allows all; each lets it read. */
static const uint64_t befores[] = {
	PTE_PRESENT_MASK | PTE_USER_MASK | A, PTE_RWU | A, PTE_RWU | AD, PTE_RW | AD,
};

struct file_memory {
	int fd;
	char *content;
};

static gva_t nth_gva(unsigned int i)
{
	return PAGING_GVA(200, 3, 5, 1 + i);
}

static void file_memory_init(struct file_memory *f, const struct paging *p)
{
	f->fd = memfd_create("pool", 0);
	f->content = malloc(DATA_SIZE);
	TEST_ERROR_ON(f->fd < 0 || !f->content, "no memory for a file");
	memcpy(f->content, p->model, DATA_SIZE);
	TEST_ERROR_ON(write(f->fd, f->content, DATA_SIZE) != DATA_SIZE, "cannot write a file");
}

/* The pool's data is the file's again, of which nothing was copied yet. */
static void map_file(struct paging *p, const struct file_memory *f)
{
	TEST_ERROR_ON(mmap(p->mem.hva, DATA_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_FIXED, f->fd, 0) == MAP_FAILED,
		      "cannot map a file privately");
	memcpy(p->model, f->content, DATA_SIZE);
}

static void check_file(const struct file_memory *f, const char *when)
{
	uint64_t page[PAGE_SIZE / 8];
	const uint64_t *want;
	unsigned int i, j;

	for (i = 0; i < POOL_DATA_PAGES; i++) {
		TEST_ERROR_ON(pread(f->fd, page, PAGE_SIZE, i * PAGE_SIZE) != PAGE_SIZE,
			      "cannot read a file");
		want = (const uint64_t *)(f->content + i * PAGE_SIZE);
		for (j = 0; j < PAGE_SIZE / 8; j++)
			TEST_ASSERT(page[j] == want[j],
				    "%s, the guest has written to its own copy at gpa 0x%lx, and the host's file has changed there, from 0x%lx to 0x%lx",
				    when, pool_data(i) + j * 8, want[j], page[j]);
	}
}

static void flush(struct paging_cpu *cpu, enum flush how)
{
	unsigned int i;

	if (how == BY_CR3)
		paging_flush(cpu);
	else if (how == BY_PGE)
		paging_flush_by_pge(cpu);
	for (i = 0; i < NR_MAPPED && how == BY_INVLPG; i++)
		paging_invlpg(cpu, nth_gva(i));
}

static void one_round(struct paging *p, const gpa_t leaf[], uint64_t before, enum flush how)
{
	struct paging_cpu *cpu = &p->cpu[0];
	unsigned int i;

	for (i = 0; i < NR_MAPPED; i++)
		paging_write(cpu, leaf[i], pool_data(FIRST_PAGE + i) | before);
	paging_flush(cpu);
	for (i = 0; i < NR_MAPPED; i++)
		paging_access(cpu, PAGING_READ, nth_gva(i), false);
	paging_run(cpu, "rights 0x%lx", before);
	for (i = 0; i < NR_MAPPED; i++)
		paging_write(cpu, leaf[i], pool_data(FIRST_PAGE + i) | PTE_RWU | AD);
	flush(cpu, how);
	for (i = 0; i < NR_MAPPED; i++) {
		/* What is not written is read, and may be mapped with what is. */
		paging_access(cpu, i % 3 ? PAGING_READ : PAGING_WRITE, nth_gva(i), i % 2);
		paging_access(cpu, PAGING_READ, nth_gva(i), false);
	}
	paging_run(cpu, "rights 0x%lx, then all, and %s", before, flush_names[how]);
}

KVM_TEST(file_stays_when_rights_are_given)
{
	gpa_t leaf[NR_MAPPED];
	struct file_memory f;
	unsigned int i, how;
	struct paging p;
	char when[64];

	paging_create(&p, 1);
	file_memory_init(&f, &p);
	for (i = 0; i < NR_MAPPED; i++)
		leaf[i] = paging_map(&p, p.root, nth_gva(i), PG_LEVEL_4K,
				     pool_data(FIRST_PAGE + i) | PTE_RWU, PTE_RWU);
	for (how = 0; how < NR_FLUSHES; how++) {
		for (i = 0; i < 2 * ARRAY_SIZE(befores); i++) {
			snprintf(when, sizeof(when), "rights 0x%lx, then all, by %s",
				 befores[i / 2], flush_names[how]);
			breadcrumb("%s", when);
			/* Then once more, with what was copied. */
			if (i % 2 == 0)
				map_file(&p, &f);
			one_round(&p, leaf, befores[i / 2], how);
			paging_check_pool(&p, when);
			check_file(&f, when);
		}
	}
	paging_free(&p);
	close(f.fd);
	free(f.content);
}

KVM_TEST_MAIN()
