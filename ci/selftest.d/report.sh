# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# ci/report: its forms are valid, and its numbers those of what it was made from.
#
# Part of ci/selftest, whose variables it shares.
# shellcheck disable=SC2154

# line JOB TEST CASE STATUS REASON: as lab/matrix writes it.
line() {
	printf '{"job":"%s","host":"amd","kernel":"6.1","row":"defaults","options":"--param kvm.tdp_mmu=0","test":"%s","case":"%s","status":"%s","seconds":0.25,"reason":"%s","known":"","log":"%s"}\n' \
		"$1" "$2" "$3" "$4" "$5" "$PWD/log"
}

# Every status, and what must not break a page: markup and control characters.
make_results() {
	local status

	mkdir -p results log
	for status in pass fail error miss skip known unknown-pass; do
		line job-a one_test "kvm.$status" $status "a reason with <b> & \\\"quotes\\\" \\u0007"
	done > results/job-a.jsonl
	line job-a two_test kvm.panics fail 'oops: BUG: kernel NULL pointer' >> results/job-a.jsonl
	echo 'no boot & no words' > results/amd-6.1-none.error
	printf '%s\n' '# selftests: kvm: one_test' '# #  RUN           kvm.fail ...' '# # wanted 1 < 2' \
		'# # HINT: such bugs were fixed by 0123456789ab' '# not ok 1 kvm.fail' > log/ktap.log
	printf '%s\n' 'BUG: kernel NULL pointer' 'Call Trace:' > log/splat.txt
}

report() {
	rc=0
	"$ci/report" "$@" > out 2>&1 || rc=$?
	cat out
}

# count PATTERN FILE: how often.
count() {
	grep -oE -- "$1" "$2" | wc -l
}

report_has_all_numbers() {
	make_results
	report results --html p.html --junit j.xml --kcidb k.json
	[ $rc = 1 ]
	grep '^1 passed, 2 failed, 2 errors, 1 missed, 1 skipped, 1 known, 1 known, but passed' out
	[ "$(count '<b>2</b> failed' p.html)" = 1 ]
	[ "$(count '<testcase ' j.xml)" = 9 ] && [ "$(count '<failure ' j.xml)" = 2 ]
	[ "$(count '<error ' j.xml)" = 3 ] && [ "$(count '<skipped ' j.xml)" = 2 ]
	[ "$(count '"status": "FAIL"' k.json)" = 3 ] && [ "$(count '"status": "MISS"' k.json)" = 1 ]
}

report_junit_is_valid() {
	make_results
	report results --junit j.xml
	xmllint --noout --schema "$ci/selftest.d/junit.xsd" j.xml
	grep 'type="kernel"' j.xml
}

# What version 5.0 of the schema wants of the fields that we write.
report_kcidb_is_valid() {
	make_results
	report results --kcidb k.json --origin our_ci
	python3 - <<-'END'
	import json, re
	data = json.load(open('k.json'))
	assert data['version'] == {'major': 5, 'minor': 0}
	own = re.compile(r'our_ci:.+')
	ids = {}
	for kind in ('checkouts', 'builds', 'tests'):
	    ids[kind] = [item['id'] for item in data[kind]]
	    assert len(set(ids[kind])) == len(ids[kind]) > 0, kind
	    assert all(own.fullmatch(i) and item['origin'] == 'our_ci' for i, item in zip(ids[kind], data[kind]))
	assert all(build['checkout_id'] in ids['checkouts'] for build in data['builds'])
	fields = {'id', 'origin', 'build_id', 'environment', 'path', 'comment', 'log_excerpt', 'status',
	          'duration', 'misc'}
	for test in data['tests']:
	    assert set(test) <= fields and test['build_id'] in ids['builds']
	    assert re.fullmatch(r'([a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)*)?', test['path']), test['path']
	    assert test['status'] in ('FAIL', 'ERROR', 'MISS', 'PASS', 'DONE', 'SKIP')
	    assert len(test.get('log_excerpt', '')) <= 16384 and None not in test.values()
	END
	report results --kcidb k.json --origin 'Our CI'
	[ $rc = 2 ]
}

report_page_needs_nothing_else() {
	make_results
	report results --html p.html
	! grep -E 'src=|href="[^#]|@import|url\(|https?:' p.html
	grep 'a reason with &lt;b&gt; &amp; &quot;quotes&quot;' p.html > /dev/null
	grep 'wanted 1 &lt; 2' p.html
	grep 'Hint: such bugs were fixed by 0123456789ab' p.html > /dev/null
	grep -F "lab/run --host amd --kernel 6.1 --param kvm.tdp_mmu=0 one_test:&#x27;kvm.fail&#x27;" p.html > /dev/null
	grep 'Call Trace:' p.html
	python3 - <<-'END'
	import html.parser, re
	page = open('p.html').read()
	ids = re.findall(r' id="([^"]*)"', page)
	assert len(ids) == len(set(ids))
	assert set(re.findall(r'href="#([^"]*)"', page)) <= set(ids)
	END
}

report_compares() {
	mkdir old new
	{ line j t_test a pass ''; line j t_test b fail x; line j t_test c fail x; line j t_test d fail x; line j t_test e fail x; } > old/j.jsonl
	{ line j t_test a fail x; line j t_test b fail x; line j t_test c pass ''; line j t_test e skip x; } > new/j.jsonl
	report new --html p.html --compare old
	[ "$(count '(New|Fixed|Still red): 1<' p.html)" = 3 ]
	grep 'Red before, and not run now: 2<' p.html > /dev/null
}

report_of_a_journal() {
	suite one_test
	printf '%s\n' plan$'\tone_test\tkvm.never' >> run/journal
	report run --junit j.xml
	[ $rc = 1 ]
	grep '^4 passed, 1 failed, 0 errors, 1 missed, 1 skipped' out
	grep 'wanted 1, got 2' j.xml
}

report_of_nothing() {
	mkdir empty
	report empty
	[ $rc = 2 ] && grep 'no results in empty' out
	echo '{"job":' > empty/a.jsonl
	report empty
	[ $rc = 2 ] && grep 'empty/a.jsonl:1: not a line of lab/matrix' out
}
