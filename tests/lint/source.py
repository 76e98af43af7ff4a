"""What one C file or header must be like, whatever stands in the others."""

import os
import re

import house

ROOT = house.ROOT

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 600
COLUMNS_MAX = 100
PARAMETERS_MAX = 5

BANNED = re.compile(
    r"\b(sprintf|vsprintf|strcpy|strcat|stpcpy|strncpy|strncat|strtok|strtok_r|atoi|atol|atoll|atof"
    r"|gets|system|alloca|popen|tmpnam|tempnam|mktemp|setjmp|longjmp"
    r"|gethostbyname|localtime|gmtime|ctime|asctime|strerror|readdir_r|vfork)\s*\("
)
# Only cli prints or exits.
TALK = re.compile(r"\b(printf|puts|putchar|perror|exit|_exit|abort)\s*\(|\b(stdout|stderr)\b")
# After fork() a child has nothing else it could do.
TALK_IN_CHILD = re.compile(r"\b_exit\s*\(")
STRUCT_TYPEDEF = re.compile(r"^\s*typedef\s+(struct|union|enum)\b")
BAD_NAME = re.compile(r"\b(do|handle)_\w+\s*\(|\b\w*(util|helper)s?_\w+\s*\(")
MUTABLE_GLOBAL = re.compile(
    r"^(static\s+)?(?!const\b|typedef|struct\s+\w+\s*[{;]|enum|union|extern|static\s+const\b)"
    r"[a-z_]\w*(\s+\w+)*[\s*]+\w+(\[[^\]]*\])*\s*(=[^;]*)?;"
)
# "Is it gone" has three answers, and one place that knows which errno is which.
ABSENCE = "include/mailsync/base/there.h"
# Globals in these exist in a test build only.
# Counters of test builds, and an allocator.
GLOBALS_ALLOWED = {"src/base/step.c", "src/base/step_nomem.c", "src/base/secret.c"}


def strip_code(text):
    """TEXT with comments and the contents of literals blanked out, line for line."""

    def blank(match):
        piece = match.group(0)
        if piece.startswith("/"):
            return re.sub(r"[^\n]", " ", piece)
        return piece[0] + " " * (len(piece) - 2) + piece[-1]

    pattern = r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
    return re.sub(pattern, blank, text, flags=re.DOTALL)


def functions(code):
    """The functions of CODE, lines without comments and literals: (line of the brace that opens
    it, from 1; its head in one line; lines between the braces). That brace stands alone in the
    first column, the one that closes it too."""
    start = None
    for number, line in enumerate(code, 1):
        if line.rstrip() == "{":
            start = number
        elif line.rstrip() == "}" and start is not None:
            head = start - 2
            while head > 0 and code[head].strip() and code[head][0] in " \t)":
                head -= 1
            yield start, " ".join(code[head : start - 1]), number - start - 1
            start = None


def check_functions(path, code, found):
    """Length of each function, and how many parameters it has besides `struct err *`."""
    for start, head, length in functions(code):
        match = re.search(r"\((.*)\)[^)]*$", head)
        if match:
            flat = re.sub(r"\([^()]*\)", "", match.group(1))
            flat = re.sub(r",\s*(struct err \*err|\.\.\.)(?=\s*(,|$))", "", flat)
            if flat.count(",") + 1 > PARAMETERS_MAX:
                found.add(path, start - 1, f"more than {PARAMETERS_MAX} parameters")
        if length > FUNCTION_LINES_MAX:
            found.add(path, start, f"a function of {length} lines (max {FUNCTION_LINES_MAX})")


def check_lines(path, code, found):
    """Banned functions, talk below cli, names, globals."""
    layer = house.layer_of(path)
    for number, line in enumerate(code, 1):
        match = BANNED.search(line)
        if match:
            found.add(path, number, f"{match.group(1)} is banned")
        if STRUCT_TYPEDEF.search(line):
            found.add(path, number, "no typedef of a struct")
        if layer is None:
            continue
        match = BAD_NAME.search(line)
        if match:
            found.add(path, number, f"a name that says nothing: {match.group(0).rstrip('( ')}")
        if re.search(r"\bENOENT\b", line) and path != ABSENCE:
            found.add(path, number, f"{ABSENCE} alone knows what is absent")
        match = TALK.search(line)
        if match and layer != "cli" and not TALK_IN_CHILD.search(line):
            found.add(path, number, f"{match.group(0).rstrip('( ')}: only cli prints or exits")
        if (
            path.endswith(".c")
            and path not in GLOBALS_ALLOWED
            and MUTABLE_GLOBAL.match(line)
            and "(" not in line.split("=")[0]
            and " const " not in line
            and not line.startswith(("return", "goto"))
            and layer != "cli"
        ):
            found.add(path, number, "a global that is not const")


def check_c(path, found):
    """All checks of one C file or header."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as stream:
        text = stream.read()
    lines = text.split("\n")
    code = strip_code(text).split("\n")
    if len(lines) - 1 > FILE_LINES_MAX:
        found.add(path, FILE_LINES_MAX, f"a file of {len(lines) - 1} lines (max {FILE_LINES_MAX})")
    for number, line in enumerate(lines, 1):
        if len(line.expandtabs(8)) > COLUMNS_MAX:
            found.add(path, number, f"over {COLUMNS_MAX} columns")
    if re.search(r"(^|/)(util|misc|helper)s?[._]", path):
        found.add(path, 1, "a file is named for its noun")
    house.check_includes(path, lines, found)
    check_functions(path, code, found)
    check_lines(path, code, found)
    if path.startswith("include/"):
        guard = "MAILSYNC_" + "_".join(path.split("/")[2:]).upper().replace(".", "_")
        if f"#ifndef {guard}\n#define {guard}\n" not in text:
            found.add(path, 1, f"no include guard {guard}")
    if house.layer_of(path) and not re.match(r"\s*(/\*|#|//)", text):
        found.add(path, 1, "a file begins with what it is")
