"""getmail6, as it can be used here.

getmail 6.18 forks for each message and then begins to wait to be told that the child has ended: a
child that was quicker is waited for in vain, for three minutes (getmail6#226). Python reads a
sitecustomize before getmail; the one written here waits for the child itself. Root's mail getmail
puts into no Maildir, and tests may run as root: it is told that it does not. Nothing else is altered.
"""

MENDED = """import os
from getmailcore import baseclasses

def wait(self, pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

os.geteuid = os.getegid = lambda: 65534
baseclasses.ForkingBase._prepare_child = lambda self: None
baseclasses.ForkingBase._wait_for_child = wait
"""


def environment(folder):
    """What it has to run with; FOLDER is for the file."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(MENDED)
    return {"PYTHONPATH": str(folder)}
