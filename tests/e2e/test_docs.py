"""What the documents show works as it stands: each configuration is read, each command line is taken,
each link leads somewhere."""

import re
import shlex
import subprocess

import pytest

from rig import program

DOCUMENTS = sorted([program.ROOT / "README.md", *(program.ROOT / "docs").glob("*.md")])
# Where nothing is asked for that is not in the file.
TAKES_CONFIGURATION = 78
# "[ACCOUNT]...", "a|b": how it is written, not what one writes.
GRAMMAR = re.compile(r"\[|\||\.\.\.|…|\bCOMMAND\b|\$\(")


def blocks(text):
    """The indented blocks, without their indentation, and the fenced ones."""
    yield from re.findall(r"^```\w*\n(.*?)^```$", text, re.M | re.S)
    for block in re.findall(r"(?:^    .*\n(?:[ \t]*\n(?=    ))*)+", text, re.M):
        yield "".join(line[4:] if line.strip() else line for line in block.splitlines(True))


def configurations():
    for path in DOCUMENTS:
        for number, block in enumerate(blocks(path.read_text())):
            if re.match(r"\[(account|defaults|provider)\b", block):
                yield pytest.param(block, id=f"{path.name}-{number}")


def commands():
    """Command lines of ours, in blocks and in running text."""
    seen = set()
    for path in DOCUMENTS:
        text = path.read_text()
        lines = [line for block in blocks(text) for line in block.splitlines()]
        lines += re.findall(r"`(mailsync [^`]+)`", text.replace("\n", " "))
        for line in lines:
            words = re.search(r"(?:^|(?<=\$ )|(?<=\* \* \* )|(?<=\s\s))mailsync(?: [^#]*)?", line)
            if words and not GRAMMAR.search(words[0]) and not re.match(r"mailsync: ", words[0]):
                command = " ".join(words[0].split("  ")[0].split())
                if command not in seen:
                    seen.add(command)
                    yield pytest.param(command, id=f"{path.name}-{command}")


def mailsync(folder, *args):
    return subprocess.run([program.binary(), *args], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, env={"HOME": str(folder), "PATH": "/usr/bin:/bin"})


@pytest.mark.parametrize("block", configurations())
def test_a_configuration_of_the_documents_is_read(block, tmp_path):
    path = tmp_path / "mailsync.conf"
    if "[account" not in block:
        block += "\n[account some]\nhost = imap.example.org\nuser = me\npassword = x\nmaildir = ~/Mail\n"
    path.write_text(block)
    path.chmod(0o600)
    done = mailsync(tmp_path, "--config", path, "status")
    assert (done.returncode, done.stderr) == (0, ""), f"{block}\n{done.stderr}"


@pytest.mark.parametrize("command", commands())
def test_a_command_line_of_the_documents_is_taken(command, tmp_path):
    args = shlex.split(command)[1:]
    if len(args) == 1 or (args[:1] == ["init"] and "--list" not in args):
        args = [*args, "--help"]            # a name, or the domain would be asked
    done = mailsync(tmp_path, *args)
    assert done.returncode in (0, TAKES_CONFIGURATION), f"{command}: {done.stderr}"


def anchors(path):
    """What # leads to in PATH, as forges make it of headings."""
    heads = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", path.read_text()):
        other = path.parent / target if target else path
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), f"{target}#{anchor}"
