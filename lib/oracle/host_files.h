/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers in /proc and /sys, below @root; -1 for what cannot be read. */
#ifndef SELFTEST_KVM_LIB_ORACLE_HOST_FILES_H
#define SELFTEST_KVM_LIB_ORACLE_HOST_FILES_H

#include <stdint.h>
#include <stdio.h>

FILE *open_below(const char *root, const char *path);
int64_t read_number(const char *root, const char *path);
int64_t meminfo_kb(const char *root, const char *field);
/* Objects in use of a slab cache, and of those that it is merged with. */
int64_t slab_objects(const char *root, const char *cache);
/* Reads a byte of a file for what this does, or writes a '1' to it. */
void poke_file(const char *root, const char *path, int flags);

#endif /* SELFTEST_KVM_LIB_ORACLE_HOST_FILES_H */
