# SPDX-License-Identifier: GPL-2.0-only
"""One page that needs nothing else: what failed first, then all of it."""

import os
from html import escape

from . import logs, results

LETTERS = {'fail': 'F', 'error': 'E', 'miss': 'M', 'known': 'K', 'unknown-pass': 'U',
           'pass': 'P', 'skip': 'S'}
MEANING = {'fail': 'KVM broke its promise', 'error': 'the test or its environment broke',
           'miss': 'planned, never reached', 'known': 'a known failure',
           'unknown-pass': 'a known failure that passed', 'pass': 'as it should be',
           'skip': 'something that it needs is missing'}
# Opens what a link points to, also when it was open before.
SCRIPT = """
function show() {
	var e = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
	if (e && e.tagName == 'DETAILS') { e.open = true; e.scrollIntoView(); e.firstElementChild.focus(); }
}
addEventListener('hashchange', show); show();
"""


def letter(status):
    return f'<span class="letter {status}" title="{status}">{LETTERS[status]}</span>'


def anchor(test, job):
    return escape(f'{test}.{job}'.replace(' ', '_'), quote=True)


def name(case):
    return escape(f'{case.test} {case.case}')


def headline(run):
    counts = run.counts()
    bad = [f'{counts[s]} {results.WORDS[s]}' for s in results.RED if counts[s]]
    if bad:
        return 'Not green: ' + ', '.join(bad)
    return 'Green' if run.verdict() == 0 else 'Nothing but skips'


def summary(run):
    counts = run.counts()
    items = ''.join(f'<li class="{s}"><b>{counts[s]}</b> {results.WORDS[s]} ({LETTERS[s]})'
                    for s in ('pass',) + results.RED + ('skip', 'known', 'unknown-pass')
                    if counts[s] or s not in ('known', 'unknown-pass'))
    seconds = sum(case.seconds or 0 for case in run.cases)
    return [f'<h1>KVM MMU selftests: {headline(run)}</h1>',
            f'<p>{len(run.cases)} cases of {len(run.tests())} tests in {len(run.jobs())} '
            f'configurations, {seconds:.0f} s.</p>', f'<ul class="counts">{items}</ul>']


def red_list(cases):
    """A line per case and reason, with the configurations that show it; what was not
    reached for the same reason shares a line."""
    groups = {}
    for case in cases:
        missed = case.status == 'miss'
        groups.setdefault((case.test, missed or case.case, case.status, case.reason), []).append(case)
    lines = ['<ul class="red">']
    for group in groups.values():
        first, jobs = group[0], dict.fromkeys(case.job for case in group)
        where = ', '.join(f'<a href="#{anchor(first.test, job)}">{escape(job)}</a>' for job in jobs)
        what = name(first)
        if first.status == 'miss' and len(group) > 1:
            what = f'{escape(first.test)} ({len(group)} cases)'
        lines.append(f'<li>{letter(first.status)} <b>{what}</b>: '
                     f'{escape(first.reason or "no reason given")} <span class="muted">({where})</span>')
    return lines + ['</ul>']


def failures(run):
    red = [c for s in results.RED + ('known', 'unknown-pass') for c in run.cases if c.status == s]
    if not red:
        return []
    return ['<h2 id="failed">What failed</h2>'] + red_list(red)


def comparison(run, before):
    if before is None:
        return []
    lists = results.compare(run, before)
    lines = ['<h2 id="compared">Against the earlier run</h2>']
    for key, title in (('new', 'New'), ('fixed', 'Fixed'), ('still', 'Still red'),
                       ('gone', 'Red before, and not run now')):
        lines.append(f'<h3>{title}: {len(lists[key])}</h3>')
        if lists[key]:
            lines += red_list(lists[key])
    return lines


def cell(run, test, job):
    cases = run.cell(test, job)
    status = results.worst(cases)
    if status is None:
        return '<td><span class="muted" title="not run">-</span></td>'
    number = sum(case.status == status for case in cases)
    label = f'{test} in {job}: {number} of {len(cases)} {results.WORDS[status]}'
    return (f'<td class="{status}"><a href="#{anchor(test, job)}" title="{escape(label, True)}" '
            f'aria-label="{escape(label, True)}"><b>{LETTERS[status]}</b> {number}</a></td>')


def grid(run):
    jobs = run.jobs()
    legend = ' '.join(f'{letter(s)} {MEANING[s]}.' for s in
                      ('pass',) + results.RED + ('skip', 'known', 'unknown-pass'))
    lines = ['<h2 id="grid">Tests and configurations</h2>',
             f'<p>The worst result of a test\'s cases, and how many have it. {legend}</p>',
             '<div class="scroll" tabindex="0"><table class="grid"><thead><tr><th scope="col">Test']
    lines += [f'<th scope="col" title="{escape(job, True)}">{escape(job).replace("-", "-<wbr>")}'
              for job in jobs]
    lines.append('</tr></thead><tbody>')
    for test in run.tests():
        lines.append(f'<tr><th scope="row" title="{escape(test)}">{escape(test)}</th>'
                     + ''.join(cell(run, test, job) for job in jobs) + '</tr>')
    return lines + ['</tbody></table></div>']


def times(run):
    """The slowest tests, as the mean over the configurations that ran them."""
    means = []
    for test in run.tests():
        sums = [sum(c.seconds or 0 for c in run.cell(test, job)) for job in run.jobs()]
        sums = [s for s in sums if s]
        if sums:
            means.append((sum(sums) / len(sums), test))
    if not means:
        return []
    means.sort(reverse=True)
    lines = ['<h2 id="time">Time</h2>', '<p>Seconds a test takes, mean of the configurations.</p>',
             '<table class="time">']
    for seconds, test in means[:20]:
        lines.append(f'<tr><th scope="row">{escape(test)}<td><div class="bar">'
                     f'<i style="width:{80 * seconds / means[0][0]:.1f}%"></i>{seconds:.1f}</div></tr>')
    if len(means) > 20:
        lines.append(f'<tr><th scope="row">{len(means) - 20} more'
                     f'<td>{sum(s for s, _ in means[20:]):.1f}</tr>')
    return lines + ['</table>']


def block(title, lines):
    if not lines:
        return ''
    return f'<p>{title}</p><pre tabindex="0">{escape(chr(10).join(lines))}</pre>'


def one_case(case):
    line = f'{letter(case.status)} <b>{escape(case.case)}</b>'
    if case.seconds is not None:
        line += f' <span class="muted">{case.seconds:.2f} s</span>'
    if case.status == 'pass':
        return f'<div>{line}</div>'
    line = f'<h3>{line}</h3><div>{escape(case.reason or "no reason given")}</div>'
    if case.known:
        line += f'<div>Known: {escape(case.known)}</div>'
    if case.status in results.RED + ('known',):
        line += f'<p>Repeat: <code>{escape(case.repeat())}</code></p>'
        line += ''.join(f'<p>Hint: {escape(hint)}</p>' for hint in logs.hints(case))
        line += block('What the case printed:', logs.of_case(case))
        line += block('Kernel log:', logs.of_kernel(case))
    return line


def details(run):
    lines = ['<h2 id="cases">All cases</h2>']
    for test in run.tests():
        for job in run.jobs():
            cases = run.cell(test, job)
            if not cases:
                continue
            status = results.worst(cases)
            counts = results.collections.Counter(case.status for case in cases)
            counts = ', '.join(f'{counts[s]} {results.WORDS[s]}' for s in results.STATUSES if counts[s])
            lines.append(f'<details id="{anchor(test, job)}"><summary>{letter(status)} '
                         f'{escape(test)}, {escape(job)}: {counts}</summary><div>')
            lines += [one_case(case) for case in cases]
            lines.append(f'<p class="muted">Logs: {escape(cases[0].log or "none")}</p></div></details>')
    return lines


def page(run, before=None):
    with open(os.path.join(os.path.dirname(__file__), 'style.css'), encoding='utf-8') as file:
        style = file.read()
    lines = ['<!DOCTYPE html>', '<html lang="en"><head><meta charset="utf-8">',
             '<meta name="viewport" content="width=device-width, initial-scale=1">',
             f'<title>KVM MMU selftests: {headline(run)}</title>', f'<style>{style}</style></head><body>']
    lines += summary(run) + failures(run) + comparison(run, before)
    lines += grid(run) + times(run) + details(run)
    return '\n'.join(lines + [f'<script>{SCRIPT}</script></body></html>', ''])
