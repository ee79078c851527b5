# SPDX-License-Identifier: GPL-2.0-only
"""What the logs say about a case that did not pass."""

import functools
import os
import re

LINES = 60
RESULT = re.compile(r'(not )?ok \d+ ')


@functools.lru_cache(maxsize=256)
def read(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read().replace('\r', '').split('\n')
    except OSError:
        return []


def of_test(case):
    """What the test printed, without the runner's prefix."""
    own = read(os.path.join(case.log, f'{case.test}.log'))
    if own:
        return own
    inside, lines = False, []
    for line in read(os.path.join(case.log, 'ktap.log')):
        if line.startswith('# selftests: kvm: '):
            inside = line == f'# selftests: kvm: {case.test}'
        elif RESULT.match(line):
            inside = False
        elif inside:
            lines.append(line[2:] if line.startswith('# ') else line)
    return lines


def of_case(case):
    """Of what the test printed, the lines of this case."""
    if not case.log:
        return []
    lines, inside = [], case.case == '-'
    for line in of_test(case):
        if re.match(r'#\s+RUN\s', line):
            inside = line.split()[2] == case.case
        elif RESULT.match(line):
            inside = inside and not line.split('#')[0].endswith(f' {case.case}')
        elif inside and line.strip():
            lines.append(line[2:] if line.startswith('# ') else line)
    return lines[:LINES]


def of_kernel(case):
    """The splat of the job's host, if it is this case's and the runner did not print it."""
    splat = read(os.path.join(case.log, 'splat.txt')) if case.log else []
    if case.failure_class() != 'kernel' or not splat or splat[0] in of_case(case):
        return []
    return splat[:LINES]


def hints(case):
    return [line.replace('HINT: ', '', 1).strip() for line in of_case(case) if 'HINT: ' in line]
