"""The order of the house: which layer uses which, and inside a layer which room; by includes."""

import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# A layer and those whose headers it may include, besides its own.
LAYERS = {
    "base": [],
    "model": ["base"],
    "proto": ["model", "base"],
    "oauth": ["model", "base"],
    "net": ["base"],
    "state": ["model", "base"],
    "store": ["proto", "oauth", "net", "model", "base"],
    "conf": ["base"],
    "migrate": ["model", "base"],
    "sync": ["store", "state", "model", "base"],
    "watch": ["sync", "store", "model", "base"],
    "discover": ["proto", "oauth", "net", "model", "base"],
    "cli": [
        "base", "model", "proto", "oauth", "net", "state", "store", "conf", "sync", "watch", "discover",
        "migrate",
    ],
}

# The rooms of a layer that has rooms, from the roof down: each uses only those below it. The files
# that lie in the layer's own folder stand above all rooms.
ROOMS = {
    "sync": [
        "verify", "pop3", "act", "fetch", "plan", "recover", "observe", "guard", "run", "rules",
    ],
}

# One home for each library: what its #include begins with, and the layer.
LIBRARIES = {
    "curl/": "net",
    "zlib.h": "net",
    "sqlite3": "state",
    "ini.h": "conf",
    "jansson": "oauth",
    "openssl/": "base",
}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


class Findings:
    """What was found, printed as it comes."""

    def __init__(self):
        self.count = 0

    def add(self, path, line, what):
        """One finding at LINE (from 1) of PATH."""
        print(f"{path}:{line}: {what}")
        self.count += 1


def layer_of(path):
    """base for src/base/x.c and include/mailsync/base/x.h, else None."""
    parts = path.split("/")
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    if parts[:2] == ["include", "mailsync"] and len(parts) > 3:
        return parts[2]
    return None


def room_of(path):
    """rules for src/sync/rules/x.c, "" for src/sync/x.c, None outside of layers."""
    parts = path.split("/")
    if parts[0] != "src" or len(parts) < 3:
        return None
    return parts[2] if len(parts) > 3 else ""


def height(layer, room):
    """How high a room of LAYER lies, the ground being 1, the layer's own folder above all; 0 for
    one that there is not."""
    rooms = ROOMS.get(layer, [])
    if room == "":
        return len(rooms) + 1
    return len(rooms) - rooms.index(room) if room in rooms else 0


def may_use(layer, other):
    """Whether LAYER may use the layer OTHER."""
    return other == layer or other in LAYERS[layer]


def strangers(layer):
    """Layers that a public header of LAYER must not hand on: one of LAYER's users may not use
    them."""
    users = [user for user in LAYERS if layer in LAYERS[user]]
    return {
        other
        for other in LAYERS[layer]
        if any(not may_use(user, other) for user in users)
    }


def check_private(path, name, number, found):
    """An include of "NAME" that is no public header: it lies beside the file, or is ROOM/NAME.h
    for a room below that is not private to it."""
    layer, room = layer_of(path), room_of(path)
    parts = name.split("/")
    folder = os.path.join("src", layer, room or "")
    if len(parts) == 1:
        if not os.path.exists(os.path.join(ROOT, folder, name)):
            found.add(path, number, f'"{name}" does not lie beside this file')
        return
    other = parts[0]
    if len(parts) > 2 or other not in ROOMS.get(layer, []):
        found.add(path, number, f'"{name}" is no header of a room of {layer}')
    elif other == room:
        found.add(path, number, f'a header of its own room is included by its name, not "{name}"')
    elif height(layer, other) > height(layer, room):
        found.add(path, number, f'{room} may not include {other}, which lies above it ("{name}")')
    elif name.endswith("_private.h"):
        found.add(path, number, f'"{name}" is for the files of {other} only')
    elif not os.path.exists(os.path.join(ROOT, "src", layer, name)):
        found.add(path, number, f'there is no src/{layer}/{name}')


def check_public(path, name, number, found):
    """An include of a public header: of a layer that this one may use and, in a public header,
    that everyone who includes it may use, too."""
    layer, other = layer_of(path), name.split("/")[1]
    if not may_use(layer, other):
        found.add(path, number, f"{layer} may not include {other} ({name})")
    elif path.startswith("include/") and other in strangers(layer):
        found.add(path, number, f"hands {other} on to layers that may not use it ({name})")


def check_includes(path, lines, found):
    """Layers, rooms, and one home for each library."""
    layer = layer_of(path)
    if layer is None:
        return
    if layer not in LAYERS:
        found.add(path, 1, f"{layer} is no layer of tests/lint/house.py")
        return
    if height(layer, room_of(path) or "") == 0:
        found.add(path, 1, f"{room_of(path)} is no room of {layer}")
        return
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        name = match.group(2)
        for start, home in LIBRARIES.items():
            if name.startswith(start) and layer != home:
                found.add(path, number, f"<{name}> is for src/{home} only")
        if name.startswith("mailsync/"):
            check_public(path, name, number, found)
        elif match.group(1) == '"' and path.startswith("include/"):
            found.add(path, number, f'a public header includes only public ones, not "{name}"')
        elif match.group(1) == '"':
            check_private(path, name, number, found)
