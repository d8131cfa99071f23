#!/usr/bin/env python3
"""pixels.py PPM light|dark|bare: does a screenshot of the report show its charts?

For each series colour the pixels near it are counted and their bounding box is measured: a line
of a chart must be there and must reach across the chart.
"""
import sys

# name: colour in light, colour in dark, least pixels, least width of the bounding box
SERIES = {
    'answered': ((0x00, 0x72, 0xb2), (0x56, 0xb4, 0xe9), 1500, 800),
    'p95 and nodes': ((0x00, 0x80, 0x5c), (0x3e, 0xcf, 0x9e), 1500, 800),
    'p99': ((0xa2, 0x48, 0x7c), (0xdd, 0x8a, 0xb8), 800, 800),
    'p99.9': ((0xb3, 0x74, 0x00), (0xe9, 0xb0, 0x3d), 300, 600),
    'errors': ((0xc4, 0x4e, 0x00), (0xff, 0x8a, 0x4c), 400, 20),
}
NEAR = 26  # of each channel: lines are drawn with soft edges, under a watermark


def read_ppm(path):
    """A binary PPM: "P6", width, height, 255, and three bytes for each pixel."""
    data = open(path, 'rb').read()
    kind, width, height, top, pixels = data.split(maxsplit=4)
    assert kind == b'P6' and top == b'255', 'not a PPM of 8 bits'
    width, height = int(width), int(height)
    pixels = data[len(data) - 3 * width * height:]  # the first pixel may look like a blank
    return width, height, pixels


def main():
    path, mode, *without = sys.argv[1:]  # without: series that this page has no data of
    width, height, raw = read_ppm(path)
    wanted = {name: s[1 if mode == 'dark' else 0] for name, s in SERIES.items()}
    seen = {name: [0, width, 0] for name in SERIES}  # pixels, leftmost, rightmost
    ground = raw[3 * (height // 2 * width + 4):][:3]
    names = {}  # pixel: the series that it may belong to
    for y in range(height):
        line = raw[3 * y * width:3 * (y + 1) * width]
        row = list(zip(line[0::3], line[1::3], line[2::3]))
        for pixel in set(row):
            if pixel not in names:
                names[pixel] = [n for n, c in wanted.items()
                                if all(abs(p - q) <= NEAR for p, q in zip(pixel, c))]
            for name in names[pixel]:
                s = seen[name]
                s[0] += row.count(pixel)
                s[1] = min(s[1], row.index(pixel))
                s[2] = max(s[2], width - 1 - row[::-1].index(pixel))
    failed = 0
    for name, (count, left, right) in seen.items():
        if name in without:
            continue
        least, span = SERIES[name][2:]
        good = count >= least and right - left >= span
        failed += not good
        print(f'# {name}: {count} pixels from {left} to {right}{"" if good else "  TOO FEW"}')
    bright = sum(ground) / 3
    if (mode == 'dark') != (bright < 100):
        print(f'# the ground is {ground}: not {mode}')
        failed += 1
    return 1 if failed else 0


sys.exit(main())
