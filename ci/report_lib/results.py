# SPDX-License-Identifier: GPL-2.0-only
"""Results of runs, from lab/matrix's .jsonl files and from run-suite's journals."""

import collections
import dataclasses
import glob
import json
import os
import re

# From bad to good: what a group of cases is, is the first that one of them has.
STATUSES = ('fail', 'error', 'miss', 'known', 'unknown-pass', 'pass', 'skip')
RED = ('fail', 'error', 'miss')
WORDS = {'fail': 'failed', 'error': 'errors', 'miss': 'missed', 'known': 'known',
         'unknown-pass': 'known, but passed', 'pass': 'passed', 'skip': 'skipped'}


class Unreadable(Exception):
    """Not results, or none at all."""


@dataclasses.dataclass
class Case:
    """One case in one job."""

    job: str
    host: str
    kernel: str
    row: str
    options: str
    test: str
    case: str
    status: str
    seconds: float = None
    reason: str = ''
    known: str = ''
    log: str = ''

    def key(self):
        """The same in another run."""
        return self.job, self.test, self.case

    def failure_class(self):
        """check, kernel or timeout."""
        if re.match(r'(.*; then )?(panic|oops|lockup|exit): |the host went down|'
                    r'(WARNING|BUG)\b|the kernel log has|KVM cannot be unloaded', self.reason):
            return 'kernel'
        if re.match(r'(silence|timeout): |TIMEOUT|no end after', self.reason):
            return 'timeout'
        return 'check'

    def repeat(self):
        """What to type to see it again."""
        glob_ = '' if self.case in ('-', 'kernel_log', 'kvm_unload') else f":'{self.case}'"
        if self.host in ('amd', 'intel'):
            return (f'lab/run --host {self.host} --kernel {self.kernel} {self.options} '.rstrip()
                    + f' {self.test}{glob_}')
        options = f'{self.options} ' if self.options else ''
        return f'run-suite --dir again {options}{self.test}{glob_}'


class Run:
    """All cases of one or more jobs, in the order they were read."""

    def __init__(self):
        self.cases = []
        self.cells = None       # by test and job, once all have been read

    def counts(self):
        return collections.Counter(case.status for case in self.cases)

    def jobs(self):
        return list(dict.fromkeys(case.job for case in self.cases))

    def tests(self):
        return sorted(set(case.test for case in self.cases))

    def cell(self, test, job):
        if self.cells is None:
            self.cells = collections.defaultdict(list)
            for case in self.cases:
                self.cells[case.test, case.job].append(case)
        return self.cells.get((test, job), [])

    def verdict(self):
        """Exit status, as that of lab/run."""
        counts = self.counts()
        if counts['fail']:
            return 1
        if counts['error'] or counts['miss']:
            return 125
        return 0 if counts['pass'] or counts['known'] or counts['unknown-pass'] else 4


def worst(cases):
    """The status that a group of cases has; None without cases."""
    return min((case.status for case in cases), key=STATUSES.index, default=None)


def counts_text(counts):
    always = ('pass', 'fail', 'error', 'miss', 'skip')
    return ', '.join(f'{counts[s]} {WORDS[s]}' for s in always + ('known', 'unknown-pass')
                     if s in always or counts[s])


def load(paths):
    run = Run()
    for path in paths:
        found = len(run.cases)
        if os.path.isfile(path):
            load_jsonl(run, path)
        elif os.path.isfile(os.path.join(path, 'journal')):
            load_journal(run, path)
        else:
            for file in sorted(glob.glob(os.path.join(path, '*.jsonl'))):
                load_jsonl(run, file)
            for file in sorted(glob.glob(os.path.join(path, '*.error'))):
                load_error(run, file)
            for file in sorted(glob.glob(os.path.join(path, '*', 'journal'))):
                load_journal(run, os.path.dirname(file))
        if len(run.cases) == found:
            raise Unreadable(f'no results in {path}')
    return run


def load_jsonl(run, path):
    names = [field.name for field in dataclasses.fields(Case)]
    with open(path, encoding='utf-8', errors='replace') as file:
        for number, line in enumerate(file, 1):
            try:
                fields = json.loads(line)
                case = Case(**{name: fields[name] for name in names})
            except (ValueError, KeyError, TypeError) as error:
                raise Unreadable(f'{path}:{number}: not a line of lab/matrix: {error}') from error
            if case.status not in STATUSES:
                raise Unreadable(f'{path}:{number}: unknown status {case.status}')
            run.cases.append(case)


def load_error(run, path):
    """A job that has no results at all: its host did not boot."""
    job = os.path.basename(path)[:-len('.error')]
    with open(path, encoding='utf-8', errors='replace') as file:
        reason = file.read().strip()
    if not reason or any(case.job == job for case in run.cases):
        return
    host, kernel, row = (job.split('-', 2) + ['', ''])[:3]
    run.cases.append(Case(job, host, kernel, row, '', 'host', 'boot', 'error', None, reason))


def load_journal(run, path):
    """See run-suite --help for the lines."""
    with open(os.path.join(path, 'journal'), encoding='utf-8', errors='replace') as file:
        lines = [line[:-1].split('\t') for line in file if line.endswith('\n')]
    params = sorted({f[1] for f in lines if f[0] == 'param'})
    host = next((f for f in lines if f[0] == 'run'), ['run', '', 'unknown', 'none'])
    row = ' '.join(params) or 'defaults'
    base = dict(job='-'.join([os.path.basename(os.path.realpath(path)), host[2], row]), host=host[3],
                kernel=host[2], row=row, options=' '.join(f'--param {p}' for p in params),
                log=os.path.realpath(path))
    cases = {}
    for fields in lines:
        if fields[0] == 'plan':
            cases.setdefault((fields[1], fields[2]), Case(
                test=fields[1], case=fields[2], status='miss', reason='not run', **base))
        elif fields[0] in ('pass', 'fail', 'skip', 'error'):
            word, test, case, seconds, reason = (fields + ['', ''])[:5]
            cases[test, case] = Case(test=test, case=case, status=word, reason=reason,
                                     seconds=float(seconds) if seconds else None, **base)
    run.cases.extend(cases.values())


def compare(run, before):
    """Lists of cases: newly red, fixed, still red, red before and not run now."""
    old = {case.key(): case for case in before.cases}
    new = {case.key(): case for case in run.cases}
    was_red = {key for key, case in old.items() if case.status in RED}
    is_red = {key for key, case in new.items() if case.status in RED}
    return {
        'new': [new[key] for key in new if key in is_red - was_red],
        'fixed': [new[key] for key in new if key in was_red - is_red and new[key].status != 'skip'],
        'still': [new[key] for key in new if key in is_red & was_red],
        'gone': [old[key] for key in old if key in was_red
                 and (key not in new or new[key].status == 'skip')],
    }
