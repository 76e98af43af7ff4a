"""How long the functions of src are, how large the rooms of a layer, and what nobody calls."""

import collections
import glob
import os
import re
import shutil
import statistics

import calls
import house
import source


def sources(*folders):
    """C files and headers under FOLDERS, from the root of the tree."""
    paths = []
    for folder in folders:
        for ending in ("c", "h"):
            paths += glob.glob(f"{folder}/**/*.{ending}", root_dir=house.ROOT, recursive=True)
    return sorted(paths)


def lines_of(path):
    """The lines of PATH."""
    with open(os.path.join(house.ROOT, path), encoding="utf-8") as stream:
        return stream.read().splitlines()


def nearest_rank(values, percent):
    """The least of the sorted VALUES that PERCENT of them do not exceed."""
    return values[max(0, -(-len(values) * percent // 100) - 1)]


def print_functions():
    """Median, percentiles and the longest."""
    longest = []
    for path in sources("src"):
        code = source.strip_code("\n".join(lines_of(path))).split("\n")
        longest += [(length, path, line) for line, _, length in source.functions(code)]
    longest.sort()
    lengths = [length for length, _, _ in longest]
    print(f"functions of src: {len(lengths)}, lines between the braces: "
          f"median {statistics.median(lengths):g}, p90 {nearest_rank(lengths, 90)}, "
          f"p99 {nearest_rank(lengths, 99)}, max {lengths[-1]}")
    for length, path, line in longest[: -4 : -1]:
        print(f"  {length} lines: {path}:{line}")


def print_files():
    """The longest files."""
    sizes = sorted(((len(lines_of(path)), path) for path in sources("src", "include")), reverse=True)
    print(f"files of src and include: {len(sizes)}, {sum(size for size, _ in sizes)} lines")
    for size, path in sizes[:3]:
        print(f"  {size} lines: {path}")


def print_rooms(layer):
    """Lines of each room of LAYER, headers included, from the roof down."""
    sizes = {}
    for path in sources(f"src/{layer}"):
        room = house.room_of(path)
        files, lines = sizes.get(room, (0, 0))
        sizes[room] = (files + 1, lines + len(lines_of(path)))
    total = sum(lines for _, lines in sizes.values())
    print(f"src/{layer}: {total} lines")
    for room in ["", *house.ROOMS[layer]]:
        files, lines = sizes.get(room, (0, 0))
        print(f"  {room or '(top)':8} {files:3} files {lines:6} lines {100 * lines / total:5.1f} %")


def words_of(paths):
    """How often each word stands in the code of PATHS."""
    text = "\n".join(source.strip_code("\n".join(lines_of(path))) for path in paths)
    return collections.Counter(re.findall(r"\w+", text))


def print_unused():
    """What is there for other files and used by none: by its own only (static would do), by tests
    only, or by nobody."""
    paths = calls.sources()
    if not shutil.which("nm") or any(calls.is_stale(path) for path in paths):
        print("used by no other file: not looked for, there is no fresh build")
        return
    known = calls.Calls(paths)
    used = {symbol for _, symbol, _ in known.edges()} | {"main"}
    tests = words_of(sources("tests"))
    alone = sorted((path, symbol) for symbol, path in known.home.items() if symbol not in used)
    print(f"used by no other file of src: {len(alone)}")
    for path, symbol in alone:
        inside = words_of([path])[symbol] > 1
        users = ["its own file"] * inside + ["tests"] * (symbol in tests)
        print(f"  {path}: {symbol}: {' and '.join(users) or 'nobody'}")


def print_all():
    """All figures."""
    print_functions()
    print_files()
    for layer in house.ROOMS:
        print_rooms(layer)
    print_unused()
