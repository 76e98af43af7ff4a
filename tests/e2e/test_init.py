"""From an address to a section of the configuration: what `init` finds, by whom, and what it says."""

import os
import re
import subprocess
import time

import pytest

from rig import program
from rig.internet import CUT, FAILS, GARBAGE, HANGS, Internet

NEXT = """\
Put this into {home}/.config/mailsync/mailsync.conf (the option --write does it), and then:
  mkdir -p -m 700 ~/.config/mailsync
  (umask 077; cat >~/.config/mailsync/{name}.password)    and type the password, Enter, Ctrl-D
  mailsync check {name}
  mailsync
"""
EMPTY = """\
# To be filled in, and the signs before it taken off:
#[account {name}]
#host = 
#port = 993
#tls = implicit
#user = me@{name}.example
#password_file = ~/.config/mailsync/{name}.password
#maildir = ~/Mail/{name}
"""
NOWHERE = ("The names of your provider's servers are in its help pages, often imap.DOMAIN or "
           "mail.DOMAIN. What to write:\n")
SERVER = """\
host = {host}
port = {port}
tls = {tls}
# It says that it takes {offer} (asked without logging in; its certificate is right).
# The address as a whole; where the server knows no such user, try me alone.
user = me@{name}.example
"""
TAIL = """\
password_file = ~/.config/mailsync/{name}.password
maildir = ~/Mail/{name}
"""
OFFER = "SCRAM-SHA-256, PLAIN, LOGIN command"


@pytest.fixture(scope="module")
def net(tmp_path_factory, names_shim):
    with Internet(tmp_path_factory.mktemp("internet"), names_shim) as internet:
        yield internet


class User:
    """Somebody who has no configuration yet."""

    def __init__(self, home, net):
        self.home, self.net = home, net
        self.config = home / ".config" / "mailsync" / "mailsync.conf"

    def run(self, *args, **environment):
        env = {key: value for key, value in os.environ.items()
               if not key.startswith(("MAILSYNC_", "XDG_"))}
        env.update(self.net.environment(), HOME=str(self.home), **environment)
        done = subprocess.run([str(program.binary()), *args], capture_output=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=program.TIMEOUT, env=env)
        return program.Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def finds(self, name, out):
        """init me@NAME.example prints OUT and what comes next."""
        result = self.run("init", f"me@{name}.example")
        assert result.out == out, result
        assert result.err == NEXT.format(home=self.home, name=name)
        assert result.status == 0

    def finds_nothing(self, name, status, *lines):
        result = self.run("init", f"me@{name}.example")
        assert result.err == "".join(line + "\n" for line in lines) + NOWHERE, result
        assert result.out == EMPTY.format(name=name)
        assert result.status == status
        return result


@pytest.fixture
def user(tmp_path, net):
    return User(tmp_path, net)


def section(name, *comments, host="", port=993, tls="implicit", offer=OFFER):
    """What is printed for a server that was found."""
    return (f"# me@{name}.example\n[account {name}]\n" + "".join(f"# {line}\n" for line in comments)
            + SERVER.format(name=name, host=host, port=port, tls=tls, offer=offer)
            + TAIL.format(name=name))


def test_a_known_domain_is_found_without_asking_anybody(user):
    asked = len(user.net.asked)
    result = user.run("init", "Me+News@GMAIL.com")
    assert result.status == 0
    assert result.out == """\
# Me+News@gmail.com: Gmail, Google Workspace (by the domain gmail.com)
[account gmail]
# From the built-in table of providers:
#   host = imap.gmail.com
#   connections = 4
#   mailboxes = * "![Gmail]/All Mail" "![Gmail]/Important" "![Gmail]/Starred" !\\All !\\Important !\\Flagged
#   trash = \\Trash
provider = gmail
user = Me+News@gmail.com
# Gmail takes an app password here, not the password of the account; it needs 2-step verification: \
https://myaccount.google.com/apppasswords
password_file = ~/.config/mailsync/gmail.password
# Or, instead of a password, by OAuth2: `oauth = google`, and then `mailsync login gmail`.
maildir = ~/Mail/gmail
"""
    assert result.err == NEXT.format(home=user.home, name="gmail")
    assert len(user.net.asked) == asked
    assert not user.config.exists()
    # Where one signs in, that is what comes next; where the local part is the user, it is that.
    result = user.run("init", "me@outlook.com")
    assert "  mailsync login outlook\n  mailsync check outlook\n" in result.err
    assert "password" not in result.out.split("# By OAuth2")[1]
    assert "\nuser = john doe\n" in user.run("init", '"john doe"@icloud.com').out


def test_every_provider_comes_to_a_section_that_goes_as_far_as_the_network(user):
    providers = user.run("init", "--list", "--json").events
    assert len(providers) > 30
    signs_in = set()
    for number, row in enumerate(providers):
        domain = f"own{number}.example"
        if row["domains"]:
            domain = row["domains"].split()[0].replace("*", "com")
        else:
            user.net.mx(domain, f"mx1.{row['mx'].split()[0]}")
        result = user.run("init", f"me@{domain}", "--write", "--json")
        assert result.status == 0, (row["name"], result)
        [event] = result.of("init")
        assert event["provider"] == row["name"] and event["written"]
        assert event["host"] == row["host"]
        assert event["user"] == ("me" if row["login"] == "local" else f"me@{domain}")
        assert event["oauth"] == (row["oauth"] is not None)
        signs_in |= {event["account"]} if event["oauth"] else set()
        (user.config.parent / f"{event['account']}.password").write_text("secret\n")
    for path in user.config.parent.glob("*.password"):
        path.chmod(0o600)
    result = user.run("check", "--json")
    accounts = [error["account"] for error in result.errors]
    assert len(accounts) == len(providers) and len(set(accounts)) == len(accounts)
    for error in result.errors:
        if error["account"] in signs_in:
            assert f"mailsync login {error['account']}" in error["message"], error
        else:
            assert error["code"] == "temporary", error


def test_an_own_domain_is_found_by_its_mail_exchanger(user):
    user.net.mx("mine.example", "backup.other.example", "in1-smtp.messagingengine.com")
    result = user.run("init", "me@mine.example")
    assert result.status == 0
    lines = result.out.splitlines()
    assert lines[0] == ("# me@mine.example: Fastmail (by the mail exchanger "
                        "in1-smtp.messagingengine.com of mine.example)")
    assert lines[1] == "[account mine]"
    at = lines.index("provider = fastmail")
    assert lines[at + 1] == ("# mine.example is no domain of that provider's own, and the DNS may "
                             "be forged on the way: make sure that it is yours before you log in.")
    assert lines[at + 2] == "user = me@mine.example"


PACC = {"protocols": {"imap": {"host": "imap.pacc.example"}, "pop3": {"host": "pop.pacc.example"}},
        "authentication": {"password": True},
        "info": {"provider": {"name": "Büro & Söhne"},
                 "help": {"documentation": "https://pacc.example/help"}}}


def test_a_domain_tells_by_pacc(user):
    user.net.pacc("pacc.example", PACC)
    user.net.mail("imap.pacc.example", 993)
    user.finds("pacc", section(
        "pacc", "By PACC of pacc.example, whose digest in the DNS is right.",
        host="imap.pacc.example").replace("pacc.example\n[", "pacc.example: Büro & Söhne\n[", 1)
        .replace("password_file", "# The provider's help: https://pacc.example/help\npassword_file"))
    # Without a digest, and outside.
    user.net.pacc("bare.example", {"protocols": {"imap": {"host": "imap.pacc.example"}}}, None)
    user.finds("bare", section(
        "bare", "By PACC of bare.example, for which there is no digest in the DNS.",
        "imap.pacc.example is outside of bare.example: make sure that it is your provider's before "
        "you log in.", host="imap.pacc.example"))
    # One that takes tokens, from a server that is not the domain's.
    outside = ("# https://auth.example is outside of {}.example: make sure that it is your provider's "
               "before you sign in.\n")
    user.net.pacc("token.example", {
        "protocols": {"imap": {"host": "imap.token.example"}},
        "authentication": {"oauth-public": {"issuer": "https://auth.example"}, "password": False}})
    user.net.mail("imap.token.example", 993, "IMAP4rev1 LOGINDISABLED AUTH=OAUTHBEARER")
    result = user.run("init", "me@token.example")
    assert result.status == 0
    assert result.out.endswith("# By OAuth2, as PACC tells:\n" + outside.format("token")
                               + "oauth = https://auth.example\nmaildir = ~/Mail/token\n"), result
    assert "  mailsync login token\n" in result.err
    # One that takes both, and one that says so in vain: its server takes none.
    both = {"oauth-public": {"issuer": "https://auth.example"}, "password": True}
    for name, host in (("both", "imap.both.example"), ("vain", "imap.pacc.example")):
        user.net.pacc(f"{name}.example", {"protocols": {"imap": {"host": host}},
                                          "authentication": both})
    user.net.mail("imap.both.example", 993, "IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2")
    assert ("# By OAuth2, as PACC tells; `password_file` in its place would do, too:\n"
            + outside.format("both") + "oauth = https://auth.example\n"
            ) in user.run("init", "me@both.example").out
    [event] = user.run("init", "me@both.example", "--json").of("init")
    assert event["issuer"] == "https://auth.example" and event["issuer_outside"] is True
    # Its own, and it is not said to be another's.
    user.net.pacc("home.example", {"protocols": {"imap": {"host": "imap.home.example"}},
                                   "authentication": {
                                       "oauth-public": {"issuer": "https://Auth.Home.example/x"}}})
    user.net.mail("imap.home.example", 993, "IMAP4rev1 AUTH=XOAUTH2")
    result = user.run("init", "me@home.example")
    assert "outside" not in result.out and "\noauth = https://Auth.Home.example/x\n" in result.out
    # One that a domain only looks like.
    user.net.pacc("ome.example", {"protocols": {"imap": {"host": "imap.home.example"}},
                                  "authentication": {
                                      "oauth-public": {"issuer": "https://auth.home.example"}}})
    assert user.run("init", "me@ome.example").out.count("is outside of ome.example") == 2
    assert "\npassword_file = " in user.run("init", "me@vain.example").out


def test_a_document_with_another_digest_is_not_used(user):
    user.net.pacc("wrong.example", {"protocols": {"imap": {"host": "imap.evil.example"}}}, "wrong")
    warning = ("mailsync: the document of ua-auto-config.wrong.example is not used: the DNS has "
               "the digest of another")
    user.finds_nothing(
        "wrong", 69, warning, "mailsync: no mail server was found for wrong.example",
        "  MX wrong.example: none",
        "  PACC: not used, the digest in TXT _ua-auto-config.wrong.example is another",
        "  SRV _imaps._tcp.wrong.example: none", "  SRV _imap._tcp.wrong.example: none",
        "  SRV _pop3s._tcp.wrong.example: none", "  SRV _pop3._tcp.wrong.example: none")
    # What the DNS does not tell may be that it is wrong.
    user.net.put("_ua-auto-config.wrong.example", "TXT", FAILS)
    user.net.srv("_imaps._tcp.wrong.example", "imap.wrong.example", 993)
    user.net.mail("imap.wrong.example", 993)
    user.finds("wrong", section("wrong", "By SRV _imaps._tcp.wrong.example.",
                                host="imap.wrong.example"))
    # A certificate that is not right: nobody was heard.
    user.net.web("ua-auto-config.forged.example", kind="self-signed")
    user.net.srv("_imaps._tcp.forged.example", ".", 0)
    result = user.run("init", "me@forged.example")
    assert result.status == 69
    assert "PACC: ua-auto-config.forged.example cannot be asked: SSL certificate" in result.err


def test_a_proxy_is_used_and_one_for_names_keeps_them_from_the_dns(user):
    """`proxy` of [defaults]: for there is no account yet."""
    net, port = user.net, user.net.socks()
    net.pacc("hidden.example", {"protocols": {"imap": {"host": "imap.hidden.example"}}}, "wrong")
    net.mail("imap.hidden.example", 993)
    user.config.parent.mkdir(parents=True)
    asked = len(net.asked)
    user.config.write_text(f"[defaults]\nproxy = socks5h://127.0.0.1:{port}\n")
    result = user.run("init", "me@hidden.example")
    assert result.status == 0, result
    assert ("# By PACC of hidden.example, whose digest was not asked for (`proxy`).\n"
            "host = imap.hidden.example\n") in result.out
    assert net.carried == ["ua-auto-config.hidden.example:443", "imap.hidden.example:993"]
    # Nothing was found, and no name was told to anybody else.
    net.host("ua-auto-config.nothing.example")
    result = user.run("init", "me@nothing.example")
    assert result.status == 69
    assert ("  nothing.example was not asked for: `proxy` keeps names from the DNS here\n"
            in result.err)
    assert len(net.asked) == asked
    # One that gets addresses: the DNS is asked as ever.
    user.config.write_text(f"[defaults]\nproxy = socks5://127.0.0.1:{port}\n")
    net.srv("_imaps._tcp.told.example", ".", 0)
    user.run("init", "me@told.example")
    assert ("told.example", "MX") in net.asked


def test_a_provider_of_ones_own_may_have_pop3_alone(user):
    user.config.parent.mkdir(parents=True)
    user.config.write_text("[provider old]\ndomains = old.example\npop3_host = pop.old.example\n"
                           "oauth_client_secret = hush\nproxy = http://user:hush@proxy.example:3128\n"
                           "[provider none]\ndomains = nohost.example\nconnections = 2\n")
    user.config.chmod(0o600)
    result = user.run("init", "--write", "me@old.example")
    assert result.status == 0, result
    assert "\nprovider = old\nprotocol = pop3\n" in result.out
    assert "hush" not in result.out + result.err
    assert user.config.read_text().count("hush") == 2
    # One without a server tells of none.
    assert user.run("init", "me@nohost.example").status == 69


def test_a_link_that_leads_nowhere_is_left_alone(user):
    user.config.parent.mkdir(parents=True)
    user.config.symlink_to(user.config.parent / "away")
    result = user.run("init", "--write", "me@gmx.net")
    assert result.status == 74 and "leads nowhere" in result.err, result
    assert user.config.is_symlink() and list(user.config.parent.iterdir()) == [user.config]


def test_a_domain_tells_by_srv(user):
    net = user.net
    # The lowest priority, and in it the largest weight; one that does not answer is passed over.
    net.srv("_imaps._tcp.srv.example", "third.srv.example", 993, priority=2)
    net.srv("_imaps._tcp.srv.example", "second.srv.example", 993, priority=1, weight=1)
    net.srv("_imaps._tcp.srv.example", "first.srv.example", 994, priority=1, weight=9)
    net.host("first.srv.example")
    net.mail("second.srv.example", 993)
    user.finds("srv", section("srv", "By SRV _imaps._tcp.srv.example.", host="second.srv.example"))
    # A dot says that it is not offered; STARTTLS, then, at a host that is another's.
    net.srv("_imaps._tcp.start.example", ".", 0)
    net.srv("_imap._tcp.start.example", "IMAP.Hoster.example", 143)
    net.mail("imap.hoster.example", 143)
    user.finds("start", section(
        "start", "By SRV _imap._tcp.start.example.",
        "imap.hoster.example is outside of start.example, and the DNS may be forged on the way: "
        "make sure that it is your provider's before you log in.", host="imap.hoster.example",
        port=143, tls="starttls"))
    net.srv("_pop3s._tcp.pop.example", "pop.pop.example", 995)
    net.mail("pop.pop.example", 995, "USER|SASL PLAIN|UIDL")
    user.finds("pop", section("pop", "By SRV _pop3s._tcp.pop.example.", host="pop.pop.example",
                              port=995, offer="PLAIN, USER and PASS")
               .replace("host =", "protocol = pop3\nhost =", 1))
    # One that takes tokens alone, from nobody knows whom, and one that takes nothing.
    net.srv("_imaps._tcp.alone.example", "imap.alone.example", 993)
    net.mail("imap.alone.example", 993, "IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2")
    result = user.run("init", "me@alone.example")
    assert ("# It says that it takes XOAUTH2 (asked without logging in; its certificate is right).\n"
            "# That is OAuth2 alone: put the key `oauth` in place of `password_file`, with the "
            "address of who gives out its tokens.\n") in result.out
    net.srv("_imaps._tcp.shut.example", "imap.shut.example", 993)
    net.mail("imap.shut.example", 993, "IMAP4rev1 LOGINDISABLED")
    assert "# It says that it takes no login that mailsync knows (asked" in user.run(
        "init", "me@shut.example").out
    # A server that a known provider runs is that provider's.
    net.srv("_imaps._tcp.leads.example", "imap.fastmail.com", 993)
    assert "\nprovider = fastmail\n" in user.run("init", "me@leads.example").out
    # Nobody's password was at stake.
    assert {line.split(" ")[-1] for line in net.said} <= {"CAPABILITY", "LOGOUT", "STARTTLS",
                                                          "CAPA", "QUIT", "STLS"}


def test_a_server_that_does_not_answer_is_told_so(user):
    user.net.srv("_imaps._tcp.down.example", "imap.down.example", 993)
    user.net.host("imap.down.example")
    result = user.run("init", "me@down.example", "--write")
    assert result.status == 0
    assert "\nhost = imap.down.example\n# It could not be asked: " in result.out.replace(
        "port = 993\ntls = implicit\n", "")
    assert result.err.startswith("mailsync: it could not be tried: imap.down.example:993: no "
                                 "connection")
    assert "  mailsync check down\n" in result.err
    assert user.config.read_text() == result.out


def test_a_server_that_is_another_is_told_so_and_not_written(user):
    user.net.srv("_imaps._tcp.old.example", "imap.old.example", 993)
    user.net.mail("imap.old.example", 993, kind="expired")
    result = user.run("init", "me@old.example", "--write")
    assert result.status == 69
    assert "\nhost = imap.old.example\n" in result.out
    assert "# It could not be asked: imap.old.example:993: " in result.out
    assert "has expired" in result.err and result.err.endswith("Nothing was written.\n")
    assert not user.config.exists()


def test_what_is_not_found_says_what_was_asked_and_what_to_fill_in(user):
    user.finds_nothing("none", 69, "mailsync: there is no domain none.example",
                       "  the DNS knows no domain none.example")
    user.net.mx("no.example", "mx.no.example")
    user.net.srv("_imaps._tcp.no.example", ".", 0)
    user.net.web("ua-auto-config.no.example", status=404)
    user.finds_nothing(
        "no", 69, "mailsync: no mail server was found for no.example",
        "  MX no.example: mx.no.example",
        "  PACC: https://ua-auto-config.no.example/.well-known/user-agent-configuration.json gives "
        "HTTP status 404",
        "  SRV _imaps._tcp.no.example: not offered", "  SRV _imap._tcp.no.example: none",
        "  SRV _pop3s._tcp.no.example: none", "  SRV _pop3._tcp.no.example: none")
    result = user.run("init", "me@gmial.com", "--json")
    assert result.status == 69
    [error] = result.errors
    assert error["message"] == "there is no domain gmial.com; did you mean gmail.com?"


@pytest.mark.parametrize("answer", [FAILS, GARBAGE, CUT])
def test_answers_that_tell_nothing_are_no_answers(user, answer):
    user.net.default = answer
    try:
        result = user.run("init", "me@broken.example", "--write")
    finally:
        user.net.default = None
    assert result.status == 75
    assert "no mail server was found for broken.example, but not all could be asked" in result.err
    assert not user.config.exists()


def test_who_hangs_holds_up_nobody_for_long(user):
    net = user.net
    net.web("ua-auto-config.slow.example", HANGS)
    net.mx("slow.example", "mx.slow.example")
    net.put("mute.example", "MX", HANGS)
    before = len(net.asked)
    began = time.monotonic()
    runs = [start(user, f"me@{name}.example") for name in ("slow", "mute")]
    slow, mute = [program.finish(run) for run in runs]
    assert time.monotonic() - began < 15
    assert (slow.status, mute.status) == (75, 75)
    assert "PACC: ua-auto-config.slow.example gave no answer within 5 s (timeout)\n" in slow.err
    # A name server that is silent once is not asked for more.
    assert "no name server tells of mute.example now" in mute.err
    assert {name for name, _ in net.asked[before:] if "mute" in name} == {"mute.example"}


def start(user, address):
    env = {**os.environ, **user.net.environment(), "HOME": str(user.home)}
    return subprocess.Popen([str(program.binary()), "init", address], env=env,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def test_write_appends_and_changes_nothing_that_is_there(user):
    result = user.run("init", "--write", "me@posteo.de")
    assert result.status == 0
    assert user.config.read_text() == result.out
    assert user.config.stat().st_mode & 0o777 == 0o600
    assert user.config.parent.stat().st_mode & 0o777 == 0o700
    assert result.err.startswith(f"Written to {user.config}. Next:\n  (umask 077; cat >")
    # The same again is refused, another gets another name.
    before = user.config.read_bytes()
    twin = user.run("init", "--write", "ME@posteo.de")
    assert twin.status == 78
    assert twin.err == (f"mailsync: account posteo in {user.config} is for me@posteo.de at "
                        "posteo.de already; nothing was written\n")
    assert user.config.read_bytes() == before
    for address, name in (("a.b@posteo.de", "posteo-a.b"), ("a b@x@posteo.de", None),
                          ('"a b"@posteo.net', "posteo-a_b"), ("a.b@posteo.net", "posteo-2")):
        result = user.run("init", "--write", address)
        assert result.status == (0 if name else 64)
        if name:
            before += b"\n" + result.out.encode()
            assert result.out.splitlines()[1] == f"[account {name}]"
        assert user.config.read_bytes() == before


def test_write_keeps_a_link_a_mode_and_a_last_line_without_end(user, tmp_path):
    real = tmp_path / "dotfiles" / "mailsync"
    real.parent.mkdir()
    real.write_text("[provider corp]\ndomains = corp.example\nhost = imap.corp.example\n"
                    "[defaults]\nstate_dir = ~/state")
    real.chmod(0o640)
    user.config.parent.mkdir(parents=True)
    user.config.symlink_to(real)
    before = real.read_text()
    result = user.run("init", "--write", "me@corp.example")
    assert result.status == 0, result
    assert "# From the section of that provider:\n#   host = imap.corp.example\n" in result.out
    assert user.config.is_symlink()
    assert real.read_text() == before + "\n\n" + result.out
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in real.parent.iterdir()) == ["mailsync"]


def test_whatever_dies_or_fails_the_file_is_whole(user, steps, tmp_path):
    """Killed after each step, and with each step failing: it is as before, or has it all."""
    old = "[account old]\nhost = imap.old.example\nuser = me\npassword_file = ~/p\nmaildir = ~/m\n"
    log = tmp_path / "steps"
    user.config.parent.mkdir(parents=True)
    user.config.write_text(old)
    whole = old + "\n" + user.run("init", "--write", "me@posteo.de", MAILSYNC_STEP_LOG=str(log)).out
    assert user.config.read_text() == whole
    names = [line.split(" ", 1)[1].split("\t")[0] for line in log.read_text().splitlines()]
    assert names[-2:] == ["replace", "fsync directory"], names
    replaced = len(names) - 1
    for number in range(1, len(names) + 1):
        user.config.write_text(old)
        result = user.run("init", "--write", "me@posteo.de", MAILSYNC_STEP_FAIL=f"{number}:28")
        assert result.status in (0, 74), result
        is_done = result.status == 0 or number > replaced
        assert user.config.read_text() == (whole if is_done else old), (number, result)
        # Nothing is left lying about but the file.
        assert list(user.config.parent.iterdir()) == [user.config]
    for number in range(len(names)):
        user.config.write_text(old)
        user.run("init", "--write", "me@posteo.de", MAILSYNC_STEP_STOP=str(number))
        assert user.config.read_text() == (whole if number >= replaced else old), number


def test_a_file_with_errors_is_left_alone(user):
    user.config.parent.mkdir(parents=True)
    user.config.write_text("[account a]\nhots = x\n")
    result = user.run("init", "--write", "me@posteo.de")
    assert result.status == 78
    assert f"{user.config}:2: unknown key 'hots'" in result.err
    assert user.config.read_text() == "[account a]\nhots = x\n"


def test_the_next_commands_name_the_file_that_was_named(user, tmp_path):
    config = tmp_path / "my mail" / "it's.conf"
    result = user.run("init", "--write", "-c", str(config), "me@posteo.de")
    assert result.status == 0, result
    commands = [line.split("    and type")[0] for line in result.err.splitlines()[1:]]
    for command in commands:
        command = re.sub(r"^  mailsync", f"  '{program.binary()}'", command)
        done = subprocess.run(["sh", "-c", command], input=b"secret\n", capture_output=True,
                              check=False, env={**os.environ, **user.net.environment(),
                                                "HOME": str(user.home)})
        # Nothing is wrong but that there is no such host here.
        assert done.returncode in (0, 75), (command, done)
    password = config.parent / "posteo.password"
    assert password.read_bytes() == b"secret\n"
    assert password.stat().st_mode & 0o777 == 0o600


def test_a_section_that_cannot_be_printed_is_an_error(user):
    env = {**os.environ, **user.net.environment(), "HOME": str(user.home)}
    with open("/dev/full", "wb") as full:
        done = subprocess.run([str(program.binary()), "init", "me@posteo.de"], stdout=full,
                              stderr=subprocess.PIPE, env=env, check=False)
    assert done.returncode == 74 and b"the section cannot be printed" in done.stderr


def test_what_is_no_address_is_refused(user):
    for address in ("", "me", "me@", "@example.org", "me@[192.0.2.1]", "me@a\nb.example",
                    "me\x1b[31m@example.org", "me\u202e@example.org"):
        result = user.run("init", address)
        assert result.status == 64 and result.out == ""
        assert "is no mail address" in result.err and "\x1b" not in result.err
    assert user.run("init").status == 64
    assert user.run("init", "a@b.example", "c@d.example").status == 64


def test_an_internationalised_domain_is_asked_for_in_ascii(user):
    user.net.srv("_imaps._tcp.xn--bcher-kva.example", "imap.xn--bcher-kva.example", 993)
    user.net.mail("imap.xn--bcher-kva.example", 993)
    result = user.run("init", "--write", "müller@Bücher.example", LC_ALL="C")
    assert result.status == 0, result
    assert "[account xn--bcher-kva]\n# By SRV _imaps._tcp.xn--bcher-kva.example.\n" in result.out
    assert "\nuser = müller@bücher.example\n" in result.out


def test_a_name_that_is_too_long_for_an_account_is_cut(user):
    domain = "b" * 63 + ".example"
    user.net.srv(f"_imaps._tcp.{domain}", f"imap.{domain}", 993)
    user.net.mail(f"imap.{domain}", 993)
    for local, name in (("me", "b" * 63), ("a" * 64, "b" * 63 + "-" + "a" * 36),
                        ("a" * 65, "b" * 63 + "-2")):
        result = user.run("init", "--write", "--json", f"{local}@{domain}")
        assert result.status == 0, result
        assert result.of("init")[0]["account"] == name


MBSYNCRC = """\
IMAPStore far
Host imap.example.org
User me
Pass "se cret"
SSLType IMAPS

MaildirStore near
Path ~/Mail/x/
Inbox ~/Mail/x/INBOX

Channel work
Far :far:
Near :near:
Create Both
Expunge Both
"""


def test_a_password_file_that_is_there_keeps_the_configuration_from_being_written(user):
    source = user.home / ".mbsyncrc"
    source.write_text(MBSYNCRC)
    secret = user.config.parent / "far.password"
    secret.parent.mkdir(parents=True)
    secret.write_text("another's\n")
    refused = user.run("init", "--from", str(source), "--write")
    assert (refused.status, refused.out) == (78, "")
    assert refused.err == (f"mailsync: there is a file {secret} already, into which the password "
                           "of far would go; nothing was written\n")
    assert secret.read_text() == "another's\n" and not user.config.exists()
    secret.unlink()
    assert user.run("init", "--from", str(source), "--write").status == 0
    assert secret.read_text() == "se cret\n"


def test_a_section_that_is_not_whole_is_not_written(user):
    source = user.home / ".mbsyncrc"
    source.write_text(MBSYNCRC.replace("User me\n", "UserCmd \"echo me\"\n"))
    refused = user.run("init", "--from", str(source), "--write")
    assert (refused.status, refused.out) == (78, "") and not user.config.exists()
    assert refused.err == (f"mailsync: nothing was written, since {user.config} could not be read any more: "
                           "line 2: [account far] needs 'user'\n")
    assert "put it into `user`" in user.run("init", "--from", str(source)).out


def test_json_has_the_remarks_of_no_account_too(user):
    source = user.home / ".mbsyncrc"
    source.write_text(MBSYNCRC + "\nGroup all\nChannel c\n")
    printed = user.run("init", "--from", str(source))
    account, rest = user.run("init", "--from", str(source), "--json").of("init")
    assert (account["account"], rest["account"], rest["left_out"]) == ("far", None, 1)
    assert "group all: there are no groups" in rest["section"]
    assert account["section"] + rest["section"] == printed.out


def test_another_programs_file_becomes_sections_and_its_password_is_never_shown(user):
    source = user.home / ".mbsyncrc"
    source.write_text(MBSYNCRC)
    printed = user.run("init", "--from", str(source))
    assert printed.status == 0 and not user.config.exists()
    assert f"The password stands in clear in {source}, line 4" in printed.out
    assert "cat >~/.config/mailsync/far.password)" in printed.err
    written = user.run("init", "--from", str(source), "--write", "--json")
    [event] = written.of("init")
    assert event["written"] and event["source"] == "mbsync"
    assert event["section"] == printed.out
    secret = user.config.parent / "far.password"
    assert (secret.read_text(), secret.stat().st_mode & 0o777) == ("se cret\n", 0o600)
    assert "se cret" not in printed.out + printed.err + written.out + written.err
    assert "se cret" not in user.config.read_text()
    assert "far.password" not in written.err
    # Not twice; not from what is none.
    before = user.config.read_text()
    again = user.run("init", "--from", str(source), "--write")
    assert (again.status, again.out) == (78, "")
    assert again.err == (f"mailsync: account far in {user.config} is for me at imap.example.org "
                         "already; nothing was written\n")
    for text in ("hello\n", ""):
        (user.home / "notes").write_text(text)
        assert user.run("init", "--from", str(user.home / "notes"), "--write").status == 78
    assert user.run("init", "--from", str(user.home / "none")).status == 78
    assert user.run("init", "--from", str(source), "me@gmail.com").status == 64
    assert user.config.read_text() == before
