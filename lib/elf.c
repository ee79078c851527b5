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

#include "kvm_util.h"

size_t vm_elf_pages(void);
void vm_elf_load(struct kvm_vm *vm);

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
	gpa_t gpa = vm_phy_pages_alloc(vm, npages);
	char *hva = (char *)addr_gpa2hva(vm, gpa) + p->p_vaddr % PAGE_SIZE;

	virt_map(vm, align_down(p->p_vaddr, PAGE_SIZE), gpa, npages);
	TEST_ERROR_ON(pread(fd, hva, p->p_filesz, p->p_offset) !=
		      (ssize_t)p->p_filesz, "cannot read a segment");
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
