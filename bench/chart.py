#!/usr/bin/env python3
"""Draws how many times as fast tq is as others: reads what bench/run printed, writes an SVG.

usage: chart.py <LINES >ratios.svg
"""

import json
import math
import sys
from html import escape

TITLES = {
    'one': 'add one job, durable, one thread',
    'threads': 'add from 64 threads',
    'producers-8': 'add from 8 processes',
    'batch': 'add 1,000 in a transaction',
    'process': 'run jobs that do nothing, two slots',
    'latency': 'from adding to the start in another process',
    'commands': 'run commands, two slots',
    'shell': 'add from a shell',
}
LABEL, BAR, ROW, TOP = 290, 400, 20, 34  # widths and heights, in pixels
LEAST, MOST = 0.1, 100  # the ends of the scale

STYLE = '''
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600 } .scale { fill: #6e7781; font-size: 11px }
  line { stroke: #d0d7de } .one { stroke: #57606a }
  .D { fill: #2da44e } .R, .M { fill: #9a6700 } .none { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .scale { fill: #8d96a0 } line { stroke: #30363d } .one { stroke: #8d96a0 }
    .D { fill: #3fb950 } .R, .M { fill: #d29922 } .none { fill: #6e7681 }
  }'''


def read(lines):
    """Of each measure, what tq was held against: label, contract, ratio and its range, more being better."""
    groups = {}
    for line in map(json.loads, lines):
        if line.get('measure') not in TITLES or 'ratio' not in line or line['system'].split()[0] == 'tq':
            continue
        ratios = [line['ratio'], line['ratio_min'], line['ratio_max']]
        if line['unit'] == 'us':  # less was better
            ratios = [1 / ratios[0], 1 / ratios[2], 1 / ratios[1]]
        groups.setdefault(line['measure'], []).append((line['system'], line['contract'], ratios))
    return groups


def x_of(ratio):
    share = math.log(min(max(ratio, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return LABEL + share * BAR


def spoken(ratio):
    return f'{ratio:.2g}' if ratio < 10 else f'{ratio:.0f}'


def draw(groups):
    rows, y = [], TOP
    for measure, title in TITLES.items():
        if measure not in groups:
            continue
        rows.append(f'<text class="title" x="8" y="{y + 14}">{title}</text>')
        y += ROW
        for label, contract, (ratio, least, most) in groups[measure]:
            start, end = sorted((x_of(1), x_of(ratio)))
            style = contract if contract in 'DRM' else 'none'
            rows.append(f'<text x="{LABEL - 8}" y="{y + 14}" text-anchor="end">{escape(label)}</text>')
            wide = max(end - start, 1)
            rows.append(f'<rect class="{style}" x="{start:.1f}" y="{y + 4}" width="{wide:.1f}" height="12">'
                        f'<title>{spoken(least)} to {spoken(most)}</title></rect>')
            rows.append(f'<text x="{end + 6:.1f}" y="{y + 14}">{spoken(ratio)}</text>')
            y += ROW
        y += 8
    width, height = LABEL + BAR + 50, y + 24
    scale = []
    for mark in (0.1, 1, 10, 100):
        style = ' class="one"' if mark == 1 else ''
        scale.append(f'<line{style} x1="{x_of(mark):.1f}" x2="{x_of(mark):.1f}" y1="{TOP - 4}" y2="{y}"/>')
        scale.append(f'<text class="scale" x="{x_of(mark):.1f}" y="{TOP - 12}" text-anchor="middle">{mark:g}×</text>')
    legend = [('D', 'durable, as tq is'), ('R', 'less durable, or in memory'), ('none', 'no queue')]
    key = [f'<rect class="{style}" x="{8 + 220 * i}" y="{y + 6}" width="12" height="12"/>'
           f'<text x="{26 + 220 * i}" y="{y + 16}">{text}</text>' for i, (style, text) in enumerate(legend)]
    return '\n'.join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
                      f'viewBox="0 0 {width} {height}">', f'<style>{STYLE}\n</style>',
                      '<text class="scale" x="8" y="22">tq is so many times as fast as</text>',
                      *scale, *rows, *key, '</svg>'])


if __name__ == '__main__':
    print(draw(read(sys.stdin)))
