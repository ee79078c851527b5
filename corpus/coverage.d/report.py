# SPDX-License-Identifier: GPL-2.0-only
"""report.py MODULES DIR: what of KVM's source has run, by the logs below DIR.

A point is a basic block, which begins with a call of __sanitizer_cov_trace_pc(); a line
has run if one of its points has.
"""
import collections
import glob
import os
import re
import subprocess
import sys

HOOK = "__sanitizer_cov_trace_pc"
CALL_BYTES = 5


def lines_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def points_of(ko):
    """By section: a list of (offset of a call, function, place in the source)."""
    sections, calls, section, function, offset = {}, [], None, None, None
    for line in lines_of("objdump", "-dr", "--no-show-raw-insn", ko):
        if match := re.match(r"Disassembly of section (.*):", line):
            section, calls = match[1], []
            sections[section] = calls
        elif match := re.match(r"[0-9a-f]+ <(.*)>:", line):
            function = match[1]
        elif match := re.match(r"\s*([0-9a-f]+):\t(call|jmp)", line):
            offset = int(match[1], 16)
        elif "R_X86_64_PLT32" in line and HOOK in line:
            calls.append((offset, function))
    for section, calls in sections.items():
        places = []
        for i in range(0, len(calls), 2000):
            places += lines_of("addr2line", "-e", ko, "-j", section,
                               *(hex(call[0]) for call in calls[i:i + 2000]))
        sections[section] = [(*call, place) for call, place in zip(calls, places)]
    return sections


def read_log(path):
    """Where sections are, by (module, section), and the addresses that have run."""
    base, ran, start = {}, set(), 0
    with open(path, errors="replace") as log:
        for line in log:
            if match := re.search(r"# section /sys/module/(\w+)/sections/(\S+) 0x([0-9a-f]+)", line):
                base[match[1], match[2]] = int(match[3], 16)
            elif match := re.search(r"# bits ([0-9a-f]+) ([0-9a-f]{32})", line):
                start = int(match[1], 16) * 8
                for i, byte in enumerate(bytes.fromhex(match[2])):
                    ran.update(0xffffffffc0000000 + start + i * 8 + bit
                               for bit in range(8) if byte >> bit & 1)
    return base, ran


def source_name(place):
    name = re.sub(r"^.*/linux/", "", re.sub(r" \(discriminator.*", "", place))
    return os.path.normpath(name)


def text_of(tree, name, number, cache={}):
    if name not in cache:
        try:
            with open(os.path.join(tree, name), errors="replace") as source:
                cache[name] = source.read().split("\n")
        except OSError:
            cache[name] = []
    return cache[name][number - 1].strip() if 0 < number <= len(cache[name]) else ""


def main():
    modules, out = sys.argv[1:]
    tree = os.path.join(modules, "..", "..", "tree")
    logs = [read_log(path) for path in sorted(glob.glob(os.path.join(glob.escape(out), "*", "output.log")))]
    has_run, function_of = collections.Counter(), {}
    for name in ("kvm", "kvm_amd", "kvm_intel"):
        if not any((name, ".text") in base for base, _ in logs):
            continue
        for section, points in points_of(f"{modules}/{name.replace('_', '-')}.ko").items():
            for offset, function, place in points:
                line = source_name(place)
                has_run[line] += any(base[name, section] + offset + CALL_BYTES in ran
                                     for base, ran in logs if (name, section) in base)
                function_of.setdefault(line, function)

    files = collections.defaultdict(lambda: [0, 0])
    with open(os.path.join(out, "not-run.txt"), "w") as not_run:
        for line in sorted(has_run, key=lambda l: (l.rpartition(":")[0], int("0" + re.sub(r"\D", "", l.rpartition(":")[2])))):
            name, _, number = line.rpartition(":")
            files[name][0] += has_run[line] > 0
            files[name][1] += 1
            if not has_run[line] and number.isdigit():
                print(f"{line}\t{function_of[line]}\t{text_of(tree, name, int(number))}", file=not_run)
    print("  RUN  LINES       FILE")
    for name, (ran, all_lines) in sorted(files.items(), key=lambda item: -item[1][1]):
        if "/kvm/" in name:
            print(f"{ran:5}  {all_lines:5}  {100 * ran // all_lines:3}%  {name}")
    print(f"not run: {out}/not-run.txt")


main()
