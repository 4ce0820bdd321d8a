"""Runs measures: in each round every row once, between two looks at the machine's own limit; then medians, ranges, and
the median of the rounds' ratios."""

import sys
from statistics import median, median_low

from measures import MEASURES
from report import quantile, ratios_of, report
from systems import SYSTEMS, System

DRIFT = 0.25  # by which a round's limit may differ from the run's median


def warn(text):
    print(f'bench: {text}', file=sys.stderr, flush=True)


def figure_of(measure, output):
    value = output[measure.figure]
    return median(value) if isinstance(value, list) else value


class Comparison:
    """A measure, bare or with slow flushes."""

    def __init__(self, bench, name, slow):
        self.bench, self.name, self.slow, self.measure = bench, name, slow, MEASURES[name]
        self.title = f'{name} +1 ms' if slow else name
        self.rows = [row for row in self.measure.rows if self.can_measure(row)]
        self.outputs = {row.label: [] for row in self.rows}
        self.limits = []

    def can_measure(self, row):
        system = SYSTEMS[row.system]
        reason = system.missing(self.bench)
        if reason:
            warn(f'{self.title}: without {row.label}: {reason}')
        durable = isinstance(system, System) and system.contract == 'D'
        return not reason and (durable or not self.slow)

    def run(self):
        """Rejected rounds are made up for, up to twice as many in all. A quick run rejects none."""
        rounds = 1 if self.bench.quick else self.bench.rounds
        while self.rows and len(self.kept()) < rounds and len(self.limits) < 2 * rounds:
            before = self.limit()
            for row in self.rows:
                self.outputs[row.label].append(self.measure_row(row, self.measure.options))
            self.limits.append((before, self.limit()))
        rejected = len(self.limits) - len(self.kept())
        if rejected:
            warn(f'{self.title}: {rejected} of {len(self.limits)} rounds rejected: the machine was not the same')
        if rejected == len(self.limits):
            return
        for row in self.rows:
            self.report_row(row, rejected)

    def kept(self):
        """The rounds before and after which the machine could do about what it usually could."""
        if not self.limits or self.bench.quick:
            return list(range(len(self.limits)))
        usual = median_low(limit for limits in self.limits for limit in limits)
        return [i for i, limits in enumerate(self.limits) if all(abs(limit / usual - 1) <= DRIFT for limit in limits)]

    def limit(self):
        return self.measure_row(self.measure.limit, {})['jobs_per_second']

    def measure_row(self, row, options):
        kind = 'enqueue' if row.system == 'raw overwrite' else self.measure.kind
        options = {**options, **row.options}
        if kind == 'enqueue':
            options = {'seconds': 1, 'count': 10_000_000, **options}
        if self.bench.quick:
            small = {'seconds': 0.02, 'count': 50, 'waiting': 500}
            options.update({name: value for name, value in small.items() if options.get(name) or name == 'count'})
        return SYSTEMS[row.system].measure(self.bench, kind, options, self.slow)

    def report_row(self, row, rejected):
        outputs, first = ([self.outputs[label][i] for i in self.kept()] for label in (row.label, self.rows[0].label))
        system = SYSTEMS[row.system]
        samples = [figure_of(self.measure, output) for output in outputs]
        words = {'measure': self.title, 'system': row.label, 'contract': system.contract}
        if system.loses:
            words['loses'] = system.loses
        more = {'rejected': rejected}
        for name in ('flushes_per_job', 'device_bytes_per_job', 'resident_mb', 'anonymous_mb'):
            if name in outputs[0]:
                more[name] = median(output[name] for output in outputs)
        ratio = target = None
        if row is not self.rows[0]:
            ratios = ratios_of([figure_of(self.measure, output) for output in first], samples)
            ratio, more['ratio_min'], more['ratio_max'] = median(ratios), min(ratios), max(ratios)
            target = self.target_of(row, ratio)
        elif self.measure.bound:
            target = (f'<= {self.measure.bound:g}', median(samples) <= self.measure.bound)
        if 'samples_us' in outputs[0]:
            samples = [sample for output in outputs for sample in output['samples_us']]
            more['p99'] = quantile(samples, 0.99)
        report(f'{self.title}: {row.label}', self.measure.unit, samples, ratio, target, words, **more)

    def target_of(self, row, ratio):
        if row.wanted is None:
            return None
        if self.measure.less:
            return (f'ratio <= {row.wanted:g}', ratio <= row.wanted)
        return (f'ratio >= {row.wanted:g}', ratio >= row.wanted)


def compare(bench, name):
    for slow in [False, True] if bench.slow else [False]:
        Comparison(bench, name, slow).run()
