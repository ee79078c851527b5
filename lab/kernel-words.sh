# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What a kernel says when it is in trouble.
# shellcheck disable=SC2034

readonly LOCKUP='soft lockup|hard LOCKUP|self-detected stall|detected (expedited )?stalls|kthread starved'
readonly DEATH='Kernel panic|kernel BUG at|BUG: (unable|kernel NULL|stack)|Oops: |general protection fault|double fault'
readonly SPLAT='WARNING: |BUG: |BUG [a-z_]+ |refcount_t: |UBSAN: |KASAN: |reserved bits|Bad page'
