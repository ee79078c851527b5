# SPDX-License-Identifier: GPL-2.0-only
"""KCIDB, the common report format of kernel CI systems, schema version 5.0."""

import json
import re

from . import logs

EXCERPT = 16384     # the schema's limit
STATUS = {'fail': 'FAIL', 'error': 'ERROR', 'miss': 'MISS', 'pass': 'PASS', 'skip': 'SKIP',
          'known': 'FAIL', 'unknown-pass': 'PASS'}


def word(text):
    """A part of a path or of an id."""
    return re.sub('[^A-Za-z0-9_-]', '_', text) or '_'


def test_of(case, number, origin):
    path = ['kselftest', 'kvm', word(case.test)]
    path += [word(part) for part in case.case.split('.') if part and case.case != '-']
    test = {
        'id': f'{origin}:{word(case.job)}-{number}',
        'origin': origin,
        'build_id': f'{origin}:{word(case.kernel)}',
        'environment': {'comment': f'{case.host}, {case.row}',
                        'misc': {'host': case.host, 'options': case.options}},
        'path': '.'.join(path),
        'status': STATUS[case.status],
    }
    if case.seconds is not None:
        test['duration'] = case.seconds
    if case.reason:
        test['comment'] = case.reason
    if case.status in ('fail', 'error', 'known'):
        test['log_excerpt'] = '\n'.join(logs.of_case(case) or [case.reason])[:EXCERPT]
        test['misc'] = {'repeat': case.repeat(), 'known': case.known}
    return test


def json_text(run, origin):
    if not re.fullmatch('[a-z0-9_]+', origin):
        raise ValueError(f"an origin is made of a-z, 0-9 and _, not '{origin}'")
    kernels = sorted({case.kernel for case in run.cases})
    report = {
        'version': {'major': 5, 'minor': 0},
        'checkouts': [{'id': f'{origin}:{word(k)}', 'origin': origin, 'comment': f'Linux {k}'}
                      for k in kernels],
        'builds': [{'id': f'{origin}:{word(k)}', 'checkout_id': f'{origin}:{word(k)}',
                    'origin': origin, 'architecture': 'x86_64', 'comment': f'Linux {k}'}
                   for k in kernels],
        'tests': [test_of(case, number, origin) for number, case in enumerate(run.cases, 1)],
    }
    return json.dumps(report, indent=1, ensure_ascii=False) + '\n'
