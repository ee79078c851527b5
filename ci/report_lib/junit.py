# SPDX-License-Identifier: GPL-2.0-only
"""JUnit, as CI servers read it: a suite per job and test."""

import re
from xml.sax.saxutils import escape, quoteattr

from . import logs


def clean(text):
    """XML 1.0 has no control characters."""
    return re.sub('[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]', '?', text)


def attributes(**values):
    return ''.join(f' {key.rstrip("_")}={quoteattr(clean(str(value)))}'
                   for key, value in values.items() if value is not None)


def seconds(value):
    return f'{value or 0:.3f}'


def outcome(case):
    """The element inside of a case; none if it passed."""
    if case.status == 'skip':
        return f'<skipped{attributes(message=case.reason or "no reason given")}/>'
    if case.status == 'known':
        return f'<skipped{attributes(message=f"known: {case.known}; {case.reason}")}/>'
    if case.status in ('fail', 'error', 'miss'):
        name = 'failure' if case.status == 'fail' else 'error'
        kind = {'fail': case.failure_class(), 'error': 'error', 'miss': 'miss'}[case.status]
        text = '\n'.join([f'repeat: {case.repeat()}'] + logs.of_case(case))
        return (f'<{name}{attributes(message=case.reason or "no reason given", type=kind)}>'
                f'{escape(clean(text))}</{name}>')
    return ''


def suite(job, test, cases):
    states = [case.status for case in cases]
    lines = ['  <testsuite' + attributes(
        name=f'{job}.{test}', tests=len(cases), failures=states.count('fail'),
        errors=states.count('error') + states.count('miss'),
        skipped=states.count('skip') + states.count('known'),
        time=seconds(sum(case.seconds or 0 for case in cases))) + '>']
    for case in cases:
        lines.append('    <testcase' + attributes(
            name=case.case, classname=f'{job}.{test}', time=seconds(case.seconds))
            + f'>{outcome(case)}</testcase>')
    return lines + ['  </testsuite>']


def xml(run):
    counts = run.counts()
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites' + attributes(
        name='KVM MMU selftests', tests=len(run.cases), failures=counts['fail'],
        errors=counts['error'] + counts['miss'],
        time=seconds(sum(case.seconds or 0 for case in run.cases))) + '>']
    for job in run.jobs():
        for test in run.tests():
            cases = run.cell(test, job)
            if cases:
                lines += suite(job, test, cases)
    return '\n'.join(lines + ['</testsuites>', ''])
