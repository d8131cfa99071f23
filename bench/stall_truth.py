#!/usr/bin/env python3
"""Truth of a stalled server from its own log, against what `dayfly bench --json` reported.

usage: stall_truth.py ACCESS_LOG BENCH_JSON [--check PERCENT]

The bench's k-th request was planned at start + k / rate; the server's log says when the k-th reply
was written.  Both lists in order of time give the latency that the target really had, without
anything that the generator measured.  Prints truth and report side by side; with --check, exits 1
when p99 or p99.9 differ by more than that, or when a planned request is missing in the log.
"""
import json
import sys


def percentile(ordered, share):
    rank = -(-len(ordered) * share // 1000000)
    return ordered[max(int(rank), 1) - 1]


def main():
    log, report = sys.argv[1], json.load(open(sys.argv[2]))
    limit = float(sys.argv[4]) if len(sys.argv) > 4 and sys.argv[3] == '--check' else None
    start = report['start_monotonic_ns']
    written = sorted(int(line.split()[1]) for line in open(log) if int(line.split()[0]) >= start)
    planned = report['planned']
    gap = 1e9 / report['rate_asked']
    if len(written) != planned:
        print(f'planned {planned}, but the log has {len(written)} replies')
        return 1
    truth = sorted(at - (start + k * gap) for k, at in enumerate(written))
    bad = False
    print(f"{'':6} {'truth ms':>10} {'reported':>10} {'off by':>8}")
    for name, key, share in (('p50', 'p50_us', 500000), ('p99', 'p99_us', 990000),
                             ('p99.9', 'p99_9_us', 999000), ('max', 'max_us', 1000000)):
        true = percentile(truth, share) / 1e6
        said = report['latency'][key] / 1e3
        off = 100 * (said - true) / true
        print(f'{name:6} {true:10.3f} {said:10.3f} {off:7.2f}%')
        if limit is not None and name in ('p99', 'p99.9') and abs(off) > limit:
            bad = True
    print(f"late   {report['late']} sends, the worst by {report['late_max_us'] / 1e3:.1f} ms")
    return 1 if bad else 0


sys.exit(main())
