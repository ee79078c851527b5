// SPDX-License-Identifier: GPL-2.0-only
/* The model of the guest's paging, see guest_paging.h. */
#include <stdlib.h>

#include "guest_paging.h"
#include "kvm_test.h"
#include "paging_internal.h"


/* ---- the pool ---- */

static bool in_pool(gpa_t gpa)
{
	return gpa >= POOL_GPA && gpa < POOL_GPA + POOL_PAGES * PAGE_SIZE;
}

static uint64_t *model_word(struct paging *p, gpa_t gpa)
{
	TEST_ERROR_ON(!in_pool(gpa), "gpa 0x%lx is not in the pool", gpa);
	return (uint64_t *)(p->model + (gpa - POOL_GPA));
}

/* Whether KVM may owe the dirty bit of the entry at @gpa. */
static bool may_be_clean(struct paging *p, gpa_t gpa)
{
	return gpa >= POOL_TABLES_GPA && p->may_be_clean[(gpa - POOL_TABLES_GPA) / 8];
}

static void set_may_be_clean(struct paging *p, gpa_t gpa, bool may)
{
	if (gpa >= POOL_TABLES_GPA)
		p->may_be_clean[(gpa - POOL_TABLES_GPA) / 8] = may;
}

static uint64_t *real_word(struct paging *p, gpa_t gpa)
{
	return (uint64_t *)((char *)p->mem.hva + (gpa - POOL_GPA));
}

uint64_t paging_peek(struct paging *p, gpa_t gpa)
{
	return *(volatile uint64_t *)real_word(p, gpa);
}

uint64_t paging_model(struct paging *p, gpa_t gpa)
{
	return *model_word(p, gpa);
}

/* MOV $number, %eax; JMP *%rsi */
static void fill_data(struct paging *p)
{
	unsigned int i;

	for (i = 0; i < POOL_DATA_PAGES; i++) {
		char *page = p->model + i * PAGE_SIZE;
		uint32_t number = 0xc0de0000 + i;

		/* Even, so that it is not present as a page table entry. */
		*(uint64_t *)(page + DATA_WORD_OFFSET) = 0xda7a000000000000UL |
							 (uint64_t)i << 16;
		memcpy(page + DATA_CODE_OFFSET, "\xb8....\xff\xe6", 7);
		memcpy(page + DATA_CODE_OFFSET + 1, &number, 4);
	}
	memcpy(p->mem.hva, p->model, POOL_PAGES * PAGE_SIZE);
}

/* ---- walks ---- */

static uint64_t reserved_bits(struct paging_cpu *cpu, int level, bool leaf)
{
	uint64_t mask = PHYSICAL_PAGE_MASK & ~(BIT_ULL(cpu->p->vm->pa_bits) - 1);

	if (!(cpu->efer & EFER_NX))
		mask |= PTE_NX_MASK;
	if (level >= PG_LEVEL_512G || (level == PG_LEVEL_1G && !cpu->p->gbpages))
		mask |= PTE_LARGE_MASK;
	/* Bit 12 of a large leaf is PAT. */
	if (leaf && level > PG_LEVEL_4K)
		mask |= (PG_LEVEL_SIZE(level) - 1) & ~(BIT_ULL(13) - 1);
	return mask;
}

void paging_walk(struct paging_cpu *cpu, gpa_t root, gva_t gva,
		 struct paging_walk *w)
{
	gpa_t table = root;
	uint64_t e;
	bool leaf;
	int l;

	*w = (struct paging_walk){
		.first = cpu->p->vm->top_level, .writable = true, .user = true,
	};
	for (l = w->first; ; l--) {
		w->last = l;
		w->entry[l] = table + ((gva >> PG_LEVEL_SHIFT(l)) & 511) * 8;
		e = w->value[l] = *model_word(cpu->p, w->entry[l]);
		if (!(e & PTE_PRESENT_MASK))
			return;
		leaf = l == PG_LEVEL_4K || e & PTE_LARGE_MASK;
		w->writable &= !!(e & PTE_WRITABLE_MASK);
		w->user &= !!(e & PTE_USER_MASK);
		w->nx |= !!(e & PTE_NX_MASK);
		w->reserved |= !!(e & reserved_bits(cpu, l, leaf));
		if (w->reserved || leaf)
			break;
		table = e & PHYSICAL_PAGE_MASK;
	}
	w->present = true;
	w->pkey = e >> 59 & 15;
	w->gpa = (e & PHYSICAL_PAGE_MASK & ~(PG_LEVEL_SIZE(l) - 1)) |
		 (gva & (PG_LEVEL_SIZE(l) - 1));
}

gpa_t paging_entry(struct paging *p, gpa_t root, gva_t gva, int level)
{
	struct paging_walk w;

	paging_walk(&p->cpu[0], root, gva, &w);
	TEST_ERROR_ON(w.last > level, "no entry of level %d for gva 0x%lx", level, gva);
	return w.entry[level];
}

static bool is_write(enum paging_op op)
{
	return op == PAGING_WRITE || op == PAGING_MOVS;
}

/* SDM vol. 3 sections 4.6.2 and 4.7, for data accesses to what is the user's. */
static bool pkey_forbids(struct paging_cpu *cpu, const struct paging_walk *w,
			 enum paging_op op, bool user)
{
	uint64_t bits = cpu->pkru >> (2 * w->pkey);

	if (!(cpu->cr4 & X86_CR4_PKE) || !w->present || w->reserved || !w->user ||
	    op == PAGING_EXEC)
		return false;
	return bits & 1 || (bits & 2 && is_write(op) &&
			    (user || cpu->cr0 & X86_CR0_WP));
}

/* SDM vol. 3 sections 4.6 and 4.7; true when a #PF must come. */
static bool must_fault(struct paging_cpu *cpu, const struct paging_walk *w,
		       enum paging_op op, bool user, bool ac, uint64_t *error_code)
{
	bool fetch = op == PAGING_EXEC, fault = false;
	uint64_t ec = 0;

	if (w->present)
		ec |= PFERR_PRESENT_MASK;
	if (is_write(op))
		ec |= PFERR_WRITE_MASK;
	if (user)
		ec |= PFERR_USER_MASK;
	if (w->reserved)
		ec |= PFERR_RSVD_MASK;
	if (fetch && (cpu->efer & EFER_NX || cpu->cr4 & X86_CR4_SMEP))
		ec |= PFERR_FETCH_MASK;
	*error_code = ec;

	if (!w->present || w->reserved)
		return true;
	if (user)
		fault |= !w->user;
	else if (w->user)
		fault |= fetch ? cpu->cr4 & X86_CR4_SMEP :
				 cpu->cr4 & X86_CR4_SMAP && !ac;
	if (fetch)
		fault |= w->nx;
	if (is_write(op))
		fault |= !w->writable && (user || cpu->cr0 & X86_CR0_WP);
	/* Said even where the access has no right by the tables, either. */
	if (pkey_forbids(cpu, w, op, user)) {
		*error_code |= PFERR_PK_MASK;
		return true;
	}
	return fault;
}

/* ---- what may be stale ---- */

static bool walk_uses(const struct paging_walk *w, gpa_t entry)
{
	int l;

	for (l = w->first; l >= w->last; l--) {
		if (w->entry[l] == entry)
			return true;
	}
	return false;
}

static void mark(struct paging_cpu *cpu, int ctx, gpa_t entry, bool stale)
{
	struct paging *p = cpu->p;
	struct paging_walk w;
	unsigned int i;

	for (i = 0; i < p->nr_watched; i++) {
		paging_walk(cpu, cpu->root[ctx], p->watched[i], &w);
		if (!walk_uses(&w, entry))
			continue;
		if (stale)
			cpu->stale[ctx][i] = true;
		else
			cpu->strict[ctx][i] = true;
	}
}

/* Nothing is cached of an entry that is not present: SDM 4.10.2 and 4.10.3. */
void paging_model_store(struct paging *p, gpa_t gpa, uint64_t new)
{
	uint64_t *word = model_word(p, gpa), old = *word;
	bool stale = (old ^ new) & ~(PTE_WRITABLE_MASK | PTE_NX_MASK | AD_MASK) ||
		     old & ~new & (PTE_WRITABLE_MASK | AD_MASK) ||
		     new & ~old & PTE_NX_MASK;
	unsigned int i;
	int ctx;

	for (i = 0; i < p->nr_cpus && old & PTE_PRESENT_MASK && old != new; i++) {
		for (ctx = 0; ctx < PAGING_MAX_CONTEXTS; ctx++) {
			if (p->cpu[i].root[ctx])
				mark(&p->cpu[i], ctx, gpa, stale);
		}
	}
	*word = new;
	set_may_be_clean(p, gpa, false);
}

void paging_poke(struct paging *p, gpa_t gpa, uint64_t value)
{
	paging_model_store(p, gpa, value);
	*(volatile uint64_t *)real_word(p, gpa) = value;
}

void paging_model_flush(struct paging_cpu *cpu, int context, gva_t gva)
{
	unsigned int i;
	int ctx;

	for (ctx = 0; ctx < PAGING_MAX_CONTEXTS; ctx++) {
		if (context != ALL_CONTEXTS && context != ctx)
			continue;
		for (i = 0; i < cpu->p->nr_watched; i++) {
			if (gva && align_down(gva, PAGE_SIZE) != cpu->p->watched[i])
				continue;
			cpu->stale[ctx][i] = cpu->strict[ctx][i] = false;
		}
	}
}

int paging_context(struct paging_cpu *cpu)
{
	return cpu->cr4 & X86_CR4_PCIDE ? cpu->cr3 % PAGING_MAX_CONTEXTS : 0;
}

unsigned int paging_watched(struct paging *p, gva_t gva)
{
	unsigned int i;

	for (i = 0; i < p->nr_watched; i++) {
		if (p->watched[i] == align_down(gva, PAGE_SIZE))
			return i;
	}
	test_fail(ORACLE_ERROR, __FILE__, __LINE__, NULL, "gva 0x%lx is not watched",
		  gva);
}

void paging_watch(struct paging *p, gva_t gva)
{
	TEST_ERROR_ON(p->nr_watched == PAGING_MAX_WATCHED, "too many gvas");
	p->watched[p->nr_watched++] = align_down(gva, PAGE_SIZE);
}

/* ---- what must come ---- */

static void set_accessed_dirty(struct paging *p, const struct paging_walk *w,
			       bool write)
{
	int l;

	if (p->tables_readonly)
		return;
	for (l = w->first; l >= w->last; l--)
		*model_word(p, w->entry[l]) |= PTE_ACCESSED_MASK;
	if (write) {
		*model_word(p, w->entry[l + 1]) |= PTE_DIRTY_MASK;
		set_may_be_clean(p, w->entry[l + 1], false);
	}
}

bool paging_predict(struct paging_cpu *cpu, struct paging_want *want,
		     struct paging_step *s)
{
	struct paging_walk *w = &want->walk;
	bool ram;

	s->may_retry = cpu->p->tdp &&
		       cpu->strict[paging_context(cpu)][paging_watched(cpu->p, s->gva)];
	paging_walk(cpu, cpu->cr3 & PHYSICAL_PAGE_MASK, s->gva, w);
	want->mmio = s->op == PAGING_MOVS;
	want->gpa = PAGING_MOVS_GPA;
	if (must_fault(cpu, w, s->op, s->user, s->ac, &want->error_code)) {
		want->vector = PF_VECTOR;
		return true;
	}
	ram = in_pool(w->gpa) && !(cpu->p->data_is_gap && w->gpa < POOL_TABLES_GPA);
	if (!ram && s->op != PAGING_READ && s->op != PAGING_WRITE)
		return false;
	if (ram && s->op == PAGING_EXEC && *(uint8_t *)model_word(cpu->p, w->gpa) != 0xb8)
		return false;
	want->has_value = s->op == PAGING_READ || s->op == PAGING_EXEC;
	/* First these: what is accessed may be an entry of the walk. */
	set_accessed_dirty(cpu->p, w, is_write(s->op));
	/*
	 * A known bug: KVM does not walk the tables for a gap that the vCPU remembers
	 * (vcpu_mmio_gva_to_gpa()), and a write that only CR0.WP=0 allows needs no right
	 * that the access before did not have. Every second run of access_test
	 * shows it with ept=0, few with npt=0.
	 */
	if (!ram && is_write(s->op) && !w->writable && !cpu->p->tdp &&
	    !kvm_test_option("known_bugs", 0))
		set_may_be_clean(cpu->p, w->entry[w->last], true);
	if (!ram) {
		want->mmio = true;
		want->gpa = w->gpa;
		want->value = ~w->gpa;
	} else if (s->op == PAGING_EXEC) {
		memcpy(&want->value, (char *)model_word(cpu->p, w->gpa) + 1, 4);
	} else {
		want->value = *model_word(cpu->p, w->gpa);
	}
	if (ram && is_write(s->op))
		paging_model_store(cpu->p, w->gpa, s->value);
	return true;
}

/* A CPU may set accessed bits before they are due; KVM does not. */
bool paging_same_word(struct paging *p, gpa_t gpa, uint64_t got, uint64_t want)
{
	if (got == want || (may_be_clean(p, gpa) && got == (want & ~PTE_DIRTY_MASK)))
		return true;
	return p->tdp && got & PTE_PRESENT_MASK &&
	       got == (want | PTE_ACCESSED_MASK);
}

void paging_check_pool(struct paging *p, const char *when)
{
	const uint64_t *model = (const uint64_t *)p->model;
	const volatile uint64_t *real = p->mem.hva;
	size_t i;

	for (i = 0; i < POOL_PAGES * PAGE_SIZE / 8; i++) {
		if (real[i] == model[i])
			continue;
		TEST_ASSERT(paging_same_word(p, POOL_GPA + i * 8, real[i], model[i]),
			    "%s: the word at gpa 0x%lx (%s page, entry %lu) must be 0x%lx and is 0x%lx; bit 5 is accessed, bit 6 dirty",
			    when, POOL_GPA + i * 8,
			    i < POOL_DATA_PAGES * PAGE_SIZE / 8 ? "data" : "table",
			    i % 512, model[i], real[i]);
	}
}

/* ---- making one ---- */

gpa_t paging_new_table(struct paging *p)
{
	TEST_ERROR_ON(p->nr_tables == POOL_TABLE_PAGES, "no table is left");
	return POOL_TABLES_GPA + p->nr_tables++ * PAGE_SIZE;
}

static gpa_t copy_table(struct paging *p, gpa_t table)
{
	const uint64_t *kernel = addr_gpa2hva(p->vm, table);
	gpa_t copy = paging_new_table(p);
	int i;

	for (i = 0; i < 512; i++) {
		if (kernel[i])	/* accessed now, so that it does not change */
			paging_poke(p, copy + i * 8, kernel[i] | PTE_ACCESSED_MASK);
	}
	return copy;
}

/* The kernel has only the first entry of five levels: what is below is copied, too. */
gpa_t paging_new_root(struct paging *p)
{
	gpa_t root = copy_table(p, p->vm->pgd);
	uint64_t first = paging_model(p, root);

	if (p->vm->top_level == PG_LEVEL_256T)
		paging_poke(p, root, copy_table(p, first & PHYSICAL_PAGE_MASK) |
			    (first & ~PHYSICAL_PAGE_MASK));
	return root;
}

gpa_t paging_map(struct paging *p, gpa_t root, gva_t gva, int level,
		 uint64_t entry, uint64_t upper)
{
	struct paging_walk w;

	for (;;) {
		paging_walk(&p->cpu[0], root, gva, &w);
		if (w.last <= level)
			break;
		paging_poke(p, w.entry[w.last], paging_new_table(p) | upper);
	}
	paging_poke(p, w.entry[level], entry);
	paging_watch(p, gva);
	return w.entry[level];
}

static void add_tables_slot(struct paging *p, uint32_t flags)
{
	vm_mem_region_add_backing(p->vm, &p->mem, real_word(p, POOL_TABLES_GPA),
				  POOL_TABLES_GPA, POOL_TABLES_SLOT,
				  POOL_TABLE_PAGES, flags);
}

void paging_set_tables_readonly(struct paging *p)
{
	vm_mem_region_delete(p->vm, POOL_TABLES_SLOT);
	add_tables_slot(p, KVM_MEM_READONLY);
	p->tables_readonly = true;
}

void paging_set_data_slot(struct paging *p, bool there)
{
	if (there)
		vm_mem_region_add_backing(p->vm, &p->mem, p->mem.hva, POOL_GPA,
					  POOL_DATA_SLOT, POOL_DATA_PAGES, 0);
	else
		vm_mem_region_delete(p->vm, POOL_DATA_SLOT);
	p->data_is_gap = !there;
}

static void map_for_user(struct kvm_vm *vm, gva_t gva, gpa_t gpa)
{
	gpa_t table = vm->pgd;
	uint64_t *pte;
	int l;

	virt_pg_map(vm, gva, gpa);
	for (l = vm->top_level; l >= PG_LEVEL_4K; l--) {
		pte = (uint64_t *)addr_gpa2hva(vm, table) +
		      ((gva >> PG_LEVEL_SHIFT(l)) & 511);
		*pte |= PTE_USER_MASK;
		table = *pte & PHYSICAL_PAGE_MASK;
	}
}

static void cpu_init(struct paging *p, unsigned int i)
{
	struct paging_cpu *cpu = &p->cpu[i];
	gva_t box = vm_alloc(p->vm, sizeof(*cpu->box));
	uint64_t rsp0 = vm_alloc(p->vm, PAGE_SIZE) + PAGE_SIZE;
	struct kvm_sregs sregs;

	cpu->p = p;
	strcpy(cpu->what, "the start");
	cpu->box = addr_gva2hva(p->vm, box);
	cpu->box->gap_gva[0] = vm_map_gpa(p->vm, PAGING_MOVS_GPA, PAGE_SIZE);
	cpu->box->gap_gva[1] = PAGING_USER_GAP_GVA;
	vcpu_args_set(cpu->vcpu, 1, box);
	vcpu_sregs_get(cpu->vcpu, &sregs);
	/* The TSS, and so the stack, is the VM's: one vCPU at a time is run. */
	memcpy((char *)addr_gva2hva(p->vm, sregs.tr.base) + 4, &rsp0, sizeof(rsp0));
	cpu->cr0 = sregs.cr0;
	cpu->cr4 = sregs.cr4;
	cpu->efer = sregs.efer;
}

void paging_create(struct paging *p, unsigned int nr_cpus)
{
	struct kvm_vcpu *vcpus[PAGING_MAX_CPUS];
	struct kvm_sregs sregs;
	unsigned int i;

	memset(p, 0, sizeof(*p));
	p->vm = vm_create_with_vcpus(nr_cpus, guest_paging, vcpus);
	p->nr_cpus = nr_cpus;
	p->tdp = kvm_is_tdp_enabled();
	p->gbpages = guest_has_gbpages();
	p->model = calloc(POOL_PAGES, PAGE_SIZE);
	TEST_ERROR_ON(!p->model, "no memory for the model");
	backing_mem_alloc(&p->mem, VM_MEM_SRC_ANONYMOUS, POOL_PAGES * PAGE_SIZE,
			  POOL_GPA);
	add_tables_slot(p, 0);
	paging_set_data_slot(p, true);
	fill_data(p);
	virt_map(p->vm, POOL_GVA, POOL_GPA, POOL_PAGES);
	map_for_user(p->vm, PAGING_USER_CODE_GVA,
		     addr_gva2gpa(p->vm, guest_paging_insn_page()));
	map_for_user(p->vm, PAGING_USER_GAP_GVA, PAGING_MOVS_GPA);
	vm_install_exception_handler(p->vm, PF_VECTOR, guest_paging_exception);
	vm_install_exception_handler(p->vm, UD_VECTOR, guest_paging_exception);
	vm_install_exception_handler(p->vm, GP_VECTOR, guest_paging_exception);
	for (i = 0; i < nr_cpus; i++) {
		p->cpu[i].vcpu = vcpus[i];
		cpu_init(p, i);
	}
	p->root = paging_new_root(p);
	for (i = 0; i < nr_cpus; i++) {
		vcpu_sregs_get(vcpus[i], &sregs);
		sregs.cr3 = p->cpu[i].cr3 = p->cpu[i].root[0] = p->root;
		vcpu_sregs_set(vcpus[i], &sregs);
	}
}

void paging_free(struct paging *p)
{
	paging_check_pool(p, "at the end");
	kvm_vm_free(p->vm);
	backing_mem_free(&p->mem);
	free(p->model);
}
