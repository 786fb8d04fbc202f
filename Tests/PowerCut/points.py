"""Where the power is cut; see Tests/PowerCut/run.  A cut is a point of the trace and a seed for what survives."""

import random

# So many between each two flushes.
BETWEEN = 20


def accepted(lines, point):
    """The numbers of the messages that are promised before a point."""
    return [int(line.split()[2]) for line in lines[:point] if line.startswith("M accepted")]


def every(lines):
    """Right before each flush and right after it, right after each promise, and between each two flushes."""
    flushes = [number for number, line in enumerate(lines) if line == "F"]
    cuts = [(point, 0) for flush in flushes for point in (flush, flush + 1)]
    cuts += [(number + 1, 0) for number, line in enumerate(lines) if line.startswith("M")]
    by_chance = random.Random(1)
    for start, end in zip([0, *flushes], [*flushes, len(lines)]):
        for _ in range(BETWEEN):
            cuts.append((by_chance.randint(start + 1, max(start + 1, end)), by_chance.randrange(1, 1 << 31)))
    return sorted(cuts)


def some(things, count, seed):
    """So many of them by chance, in their order; count may be "all"."""
    if count == "all":
        return things
    places = random.Random(seed).sample(range(len(things)), min(int(count), len(things)))
    return [things[place] for place in sorted(places)]


def hardest(lines, count):
    """Where a missing sync shows: right after promises, then as long after them as may be; nothing more survives."""
    marks = [number + 1 for number, line in enumerate(lines) if line.startswith("M")]
    by_chance = random.Random(1)
    rest = [by_chance.randrange(marks[-1], len(lines)) for _ in range(count)]
    return [(point, 0) for point in sorted(marks[:count // 2] + rest[:count - count // 2])]
