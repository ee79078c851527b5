// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest is this program: its PT_LOAD segments, as they are in the file, are
 * copied into slot 0 and mapped at their own addresses. The guest has its own
 * copy of every global.
 */
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "test_internal.h"

#define MAX_PHDRS	32

struct elf_phdrs {
	Elf64_Phdr phdr[MAX_PHDRS];
	size_t nr;
	int fd;
};

static void elf_open(struct elf_phdrs *elf)
{
	Elf64_Ehdr ehdr;
	size_t size;

	elf->fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	TEST_ERROR_ON(elf->fd < 0 ||
		      pread(elf->fd, &ehdr, sizeof(ehdr), 0) != sizeof(ehdr),
		      "cannot read /proc/self/exe");
	TEST_ERROR_ON(ehdr.e_type != ET_EXEC || ehdr.e_phnum > MAX_PHDRS,
		      "guest code needs a static ELF without PIE, type is %u",
		      ehdr.e_type);
	elf->nr = ehdr.e_phnum;
	size = elf->nr * sizeof(elf->phdr[0]);
	TEST_ERROR_ON(pread(elf->fd, elf->phdr, size, ehdr.e_phoff) != (ssize_t)size,
		      "cannot read the program headers");
}

static size_t segment_pages(const Elf64_Phdr *p)
{
	return (align_up(p->p_vaddr + p->p_memsz, PAGE_SIZE) -
		align_down(p->p_vaddr, PAGE_SIZE)) / PAGE_SIZE;
}

size_t vm_elf_pages(void)
{
	struct elf_phdrs elf;
	size_t i, pages = 0;

	elf_open(&elf);
	for (i = 0; i < elf.nr; i++) {
		if (elf.phdr[i].p_type == PT_LOAD)
			pages += segment_pages(&elf.phdr[i]);
	}
	close(elf.fd);
	return pages;
}

static void load_segment(struct kvm_vm *vm, int fd, const Elf64_Phdr *p)
{
	size_t npages = segment_pages(p);
	gpa_t gpa = vm_untouched_pages_alloc(vm, npages);
	char *hva = (char *)addr_gpa2hva(vm, gpa) + p->p_vaddr % PAGE_SIZE;

	virt_map(vm, align_down(p->p_vaddr, PAGE_SIZE), gpa, npages);
	TEST_ERROR_ON(pread(fd, hva, p->p_filesz, p->p_offset) !=
		      (ssize_t)p->p_filesz, "cannot read a segment");
	/* What the VM's memory is anyway, but now each page is there. */
	memset(hva + p->p_filesz, 0, p->p_memsz - p->p_filesz);

	if (!(p->p_flags & PF_W) && vm->nr_constants < ARRAY_SIZE(vm->constants))
		vm->constants[vm->nr_constants++] = (struct vm_constant){
			.gpa = gpa + p->p_vaddr % PAGE_SIZE,
			.original = (void *)p->p_vaddr,
			.size = p->p_filesz,
		};
}

/*
 * Compares one page of code or constants. Read through /proc, because a test
 * may have unmapped it; what is gone is not compared.
 */
static void check_page(struct kvm_vm *vm, int mem_fd, const struct vm_constant *c,
		       size_t off, size_t len)
{
	struct userspace_mem_region *r = vm_find_gpa(vm, c->gpa + off);
	const char *original = c->original;
	char page[PAGE_SIZE];
	size_t i = 0;
	off_t hva;

	if (!r || r->slot != VM_SYS_SLOT)
		return;
	hva = (uintptr_t)r->mem.hva + (c->gpa + off - r->gpa);
	if (pread(mem_fd, page, len, hva) != (ssize_t)len ||
	    !memcmp(page, original + off, len))
		return;
	while (page[i] == original[off + i])
		i++;
	TEST_FAIL("guest code or constants were overwritten: gpa 0x%lx has 0x%02x, was loaded with 0x%02x",
		  c->gpa + off + i, (uint8_t)page[i], (uint8_t)original[off + i]);
}

void vm_check_constants(struct kvm_vm *vm)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	const struct vm_constant *c;
	size_t off, len;

	if (fd < 0)
		return;
	for (c = vm->constants; c < vm->constants + vm->nr_constants; c++) {
		for (off = 0; off < c->size; off += len) {
			len = PAGE_SIZE - (c->gpa + off) % PAGE_SIZE;
			if (len > c->size - off)
				len = c->size - off;
			check_page(vm, fd, c, off, len);
		}
	}
	close(fd);
}

void vm_elf_load(struct kvm_vm *vm)
{
	struct elf_phdrs elf;
	size_t i;

	elf_open(&elf);
	for (i = 0; i < elf.nr; i++) {
		if (elf.phdr[i].p_type == PT_LOAD)
			load_segment(vm, elf.fd, &elf.phdr[i]);
	}
	close(elf.fd);
}
