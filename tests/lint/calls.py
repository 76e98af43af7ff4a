"""The order of the house by calls: which object file uses what another defines, as nm tells.

What a table of functions or a pointer to a constant names counts as called.
"""

import collections
import glob
import os
import shutil
import subprocess

import house

# How many files a cycle of calls in a layer with rooms may have; two may call each other where they
# share a private header.
CYCLE_FILES_MAX = 1


def sources():
    """The C files that are compiled, from the root of the tree."""
    return sorted(
        glob.glob("src/*/*.c", root_dir=house.ROOT) + glob.glob("src/*/*/*.c", root_dir=house.ROOT)
    )


def out():
    """Where the objects lie, as the Makefile has it."""
    return os.environ.get("BUILD") or "build"


def object_of(path):
    """The object made of PATH, from the root of the tree."""
    return os.path.join(out(), path[:-2] + ".o")


def is_stale(path):
    """Whether the object of PATH is missing or older than PATH."""
    try:
        made = os.path.getmtime(os.path.join(house.ROOT, object_of(path)))
    except FileNotFoundError:
        return True
    return made < os.path.getmtime(os.path.join(house.ROOT, path))


def build():
    """Makes the objects; True where that succeeds. Warnings stay what they were in the build that
    is there, since with other flags all would be made anew."""
    try:
        with open(os.path.join(house.ROOT, out(), "flags"), encoding="utf-8") as stream:
            strict = "-Werror" in stream.read().split()
    except FileNotFoundError:
        strict = False
    args = ["make", "--no-print-directory", f"-j{os.cpu_count() or 1}", f"BUILD={out()}", "program"]
    environment = {key: value for key, value in os.environ.items() if key != "MAKEFLAGS"}
    done = subprocess.run(args + ["WERROR=1"] * strict, cwd=house.ROOT, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        print(done.stdout.decode("utf-8", "replace"))
    return done.returncode == 0


class Calls:
    """Who defines and who uses which symbol of ours."""

    def __init__(self, paths):
        self.home = {}  # symbol -> the file that defines it
        self.used = collections.defaultdict(set)  # file -> symbols it uses and does not define
        listed = subprocess.run(
            ["nm", "-A", "-P", "-g"] + [object_of(path) for path in paths],
            cwd=house.ROOT, stdout=subprocess.PIPE, check=True,
        )
        for line in listed.stdout.decode().splitlines():
            name, rest = line.split(": ", 1)
            path = os.path.relpath(name, out())[:-2] + ".c"
            symbol, kind = rest.split()[:2]
            if kind == "U":
                self.used[path].add(symbol)
            else:
                self.home[symbol] = path

    def edges(self):
        """(file, symbol, file that defines it), all different files."""
        for path in sorted(self.used):
            for symbol in sorted(self.used[path]):
                other = self.home.get(symbol)
                if other:
                    yield path, symbol, other

    def within(self, layer):
        """file -> {file it calls -> a symbol it calls there}, inside LAYER."""
        graph = collections.defaultdict(dict)
        for path, symbol, other in self.edges():
            if house.layer_of(path) == layer == house.layer_of(other):
                graph[path].setdefault(other, symbol)
        return graph


def reachable(graph, start):
    """What can be come to from START: file -> the file from which it was first come to."""
    seen, waiting = {}, collections.deque([start])
    while waiting:
        path = waiting.popleft()
        for other in graph.get(path, {}):
            if other not in seen:
                seen[other] = path
                waiting.append(other)
    return seen


def cycles(graph):
    """Sets of files that all can be come to from each other, as sorted lists, the largest first."""
    reach = {path: reachable(graph, path) for path in sorted(graph)}
    found, done = [], set()
    for path in reach:
        if path in reach[path] and path not in done:
            members = [other for other in reach if other in reach[path] and path in reach[other]]
            done.update(members)
            found.append(members)
    return sorted(found, key=lambda members: (-len(members), members))


def circle(graph, members):
    """A shortest way from the first of MEMBERS back to itself: "a.c -(call)-> b.c -(call)-> a.c"."""
    start = members[0]
    seen = reachable(graph, start)
    way = [start]
    while way[0] != start or len(way) == 1:
        way.insert(0, seen[way[0]])
    text = os.path.basename(start)
    for path, other in zip(way, way[1:]):
        text += f" -({graph[path][other]})-> {os.path.basename(other)}"
    return text


def private_headers(path):
    """The headers ending in _private.h that PATH includes."""
    with open(os.path.join(house.ROOT, path), encoding="utf-8") as stream:
        names = [match.group(2) for match in map(house.INCLUDE.match, stream) if match]
    return {name for name in names if name.endswith("_private.h")}


def check_cycles(calls, layer, found):
    """No cycle of files, but of two that share a private header."""
    graph = calls.within(layer)
    for members in cycles(graph):
        if len(members) == 2 and private_headers(members[0]) & private_headers(members[1]):
            continue
        if len(members) > CYCLE_FILES_MAX:
            names = ", ".join(os.path.relpath(path, f"src/{layer}") for path in members)
            found.add(members[0], 1, f"{len(members)} files call each other in a circle: {names}; "
                                     f"for one {circle(graph, members)}")


def check_rooms(calls, layer, found):
    """No call from a room to one above it; so there is no cycle of rooms either."""
    for path, symbol, other in calls.edges():
        if house.layer_of(path) == layer == house.layer_of(other):
            room, above = house.room_of(path), house.room_of(other)
            if 0 < house.height(layer, room) < house.height(layer, above):
                found.add(path, 1, f"{room} may not call {symbol} ({other}), which lies above it")


def check_layers(calls, found):
    """No call into a layer that may not be used, through whatever header."""
    for path, symbol, other in calls.edges():
        layer, below = house.layer_of(path), house.layer_of(other)
        if layer in house.LAYERS and not house.may_use(layer, below):
            found.add(path, 1, f"{layer} may not call {below}: {symbol} ({other})")


def check(found):
    """All checks by calls, over a build that is there or is made."""
    if not shutil.which("nm"):
        print("tests/lint/run: calls not checked, nm is not there")
        return
    paths = sources()
    if any(is_stale(path) for path in paths) and not build():
        found.add("Makefile", 1, "does not build: calls not checked")
        return
    calls = Calls(paths)
    check_layers(calls, found)
    for layer in house.ROOMS:
        check_rooms(calls, layer, found)
        check_cycles(calls, layer, found)
