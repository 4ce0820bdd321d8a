"""One JSON object a line: what was measured, and whether a target was met."""

import json
from statistics import median


def quantile(samples, share):
    return sorted(samples)[min(len(samples) - 1, int(share * len(samples)))]


def rounded(number):
    """Four significant digits: no measurement here has more."""
    return number if number == 0 else float(f'{number:.4g}')


def report(bench, unit, samples, ratio=None, target=None, words=None, **more):
    """One line. `target` is a pair: what is aimed at in words, and whether it was reached."""
    line = {'bench': bench, **(words or {}), 'unit': unit, 'n': len(samples), 'median': rounded(median(samples)),
            'min': rounded(min(samples)), 'max': rounded(max(samples))}
    line.update({key: rounded(value) for key, value in more.items()})
    if ratio is not None:
        line['ratio'] = rounded(ratio)
    if target:
        line['target'], line['met'] = target
    print(json.dumps(line), flush=True)


def ratios_of(samples, base):
    """A ratio a round: what slowed a whole round down is in both."""
    return [a / b for a, b in zip(samples, base)]


def ratio_of(samples, base):
    return median(ratios_of(samples, base))
