"""What a refusal usually means at a provider, word for word: each row of data/providers.ini, with a
scripted server in the provider's place."""

import configparser
import re
import socket

import pytest

from maildrop import Maildrop
from rig import program
from rig.scripted import Scripted, always

# In the order in which causes are told.
CAUSES = ["help_oauth_only", "help_code", "help_imap_off", "help_app_password", "help_region"]
NO = always("^(LOGIN|AUTHENTICATE) ", "NO [AUTHENTICATIONFAILED] wrong")
ADVICE = "check user and password"


def providers():
    """The rows, read by a reader of its own."""
    table = configparser.ConfigParser(interpolation=None, delimiters="=", strict=True)
    with open(program.ROOT / "data" / "providers.ini", encoding="utf-8") as stream:
        table.read_file(stream)
    return {title.removeprefix("provider "): dict(table[title]) for title in table.sections()}


PROVIDERS = providers()


def usual(row, keys):
    """The sentence about ROW's causes of KEYS; empty where it has none."""
    causes = [row[key] for key in keys if key in row]
    if len(causes) > 1:
        return ". Usual causes:" + "".join(f" ({n}) {cause}" for n, cause in enumerate(causes, 1))
    return f". The usual cause: {causes[0]}" if causes else ""


def accounts(folder, port, **keys):
    """An account of each provider on the server at PORT, and what `check` says of each."""
    whole = program.Account(folder, None, "me", port=port, password="sesame", name="none", **keys)
    for name in PROVIDERS:
        whole.others[f"account {name}"] = {
            **whole.keys, "provider": name, "maildir": str(folder / name)}
    whole.write_config()
    result = whole.run("check", "none", *PROVIDERS)
    said = {}
    for line in result.err.splitlines():
        found = re.fullmatch(r"mailsync: (\S+): (.*)", line)
        said[found[1]] = found[2]
    return result.status, said


def test_a_refused_password(tmp_path):
    with Scripted([NO], capabilities="IMAP4rev1 AUTH=PLAIN") as server:
        status, said = accounts(tmp_path, server.port)
    refused = f'the server refused the login of user me (PLAIN), saying "wrong"; {ADVICE}'
    assert status == 77 and said.pop("none") == refused
    assert said == {name: refused + usual(row, CAUSES) for name, row in PROVIDERS.items()}
    assert sum("usual cause" in text.lower() for text in said.values()) > 25


def test_a_refused_password_of_pop3(tmp_path):
    with Maildrop(at={"PASS": "-ERR [AUTH] wrong"}) as drop:
        _, said = accounts(tmp_path, drop.port, protocol="pop3")
    refused = f'the server refused the login of user me (USER), saying "[AUTH] wrong"; {ADVICE}'
    assert said.pop("none") == refused
    assert said == {name: refused + usual(row, CAUSES) for name, row in PROVIDERS.items()}


def test_a_refused_connection(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    status, said = accounts(tmp_path, port)
    refused = said.pop("none")
    assert status == 75 and refused.endswith("check `host` and `port`")
    assert {name: re.sub(r"after \d+ ms", "after N ms", text) for name, text in said.items()} == {
        name: re.sub(r"after \d+ ms", "after N ms", refused) + usual(row, ["help_connect"])
        for name, row in PROVIDERS.items()}
    assert "Proton Mail Bridge, which has to run" in said["proton"]


@pytest.mark.parametrize("capabilities, auth, says", [
    ("AUTH=XOAUTH2 AUTH=OAUTHBEARER LOGINDISABLED", "auto",
     "the server takes no password; it offers OAUTHBEARER, XOAUTH2 (and disables LOGIN): set `oauth` "
     "instead of the password"),
    ("AUTH=PLAIN", "cram-md5",
     "the server does not offer CRAM-MD5, which `auth = cram-md5` asks for; it offers PLAIN, the login "
     "command; without `auth` the best of what is on offer is taken"),
    ("AUTH=NONE LOGINDISABLED", "auto",
     "the server offers no way to log in by a password; it offers nothing that mailsync knows (and "
     "disables LOGIN)")])
def test_what_is_not_on_offer_is_not_called_refused(tmp_path, capabilities, auth, says):
    with Scripted([NO], capabilities="IMAP4rev1 " + capabilities) as server:
        status, said = accounts(tmp_path, server.port, auth=auth)
    assert status == 77 and said.pop("none") == says
    assert said == {name: says + usual(row, ["help_oauth_only"]) for name, row in PROVIDERS.items()}
    assert not any(command.startswith(("LOGIN", "AUTHENTICATE")) for command in server.received)


def one(folder, server, command="check", **keys):
    account = program.Account(folder, server, "me", **{"password": "sesame", **keys})
    return account.run(command)


def test_what_libcurl_would_log_in_by_and_is_not_on_offer(tmp_path):
    with Scripted(capabilities="IMAP4rev1 AUTH=PLAIN") as server:
        result = one(tmp_path, server, auth="ntlm")
    assert result.status == 77
    assert result.err == (f"mailsync: home: 127.0.0.1:{server.port}: the server does not offer NTLM, "
                          "which `auth` asks for\n")


@pytest.mark.parametrize("capabilities, mech, more", [
    ("AUTH=CRAM-MD5 AUTH=PLAIN", "CRAM-MD5",
     ", or try `auth = plain`: some servers offer CRAM-MD5 and cannot do it"),
    ("AUTH=SCRAM-SHA-256 AUTH=LOGIN", "SCRAM-SHA-256",
     ", or try `auth = login`: some servers offer SCRAM-SHA-256 and cannot do it"),
    ("AUTH=CRAM-MD5 LOGINDISABLED", "CRAM-MD5", ""),
    ("AUTH=PLAIN", "PLAIN", "")])
def test_a_refused_proof_names_the_plain_way(tmp_path, capabilities, mech, more):
    with Scripted([NO], capabilities="IMAP4rev1 " + capabilities) as server:
        result = one(tmp_path, server)
    assert result.err == (f"mailsync: home: the server refused the login of user me ({mech}), saying "
                          f'"wrong"; {ADVICE}{more}\n')


GMAIL = ". The usual cause: " + PROVIDERS["gmail"]["help_app_password"]


@pytest.mark.parametrize("lines, says", [
    (["NO [ALERT] Application-specific password required (Failure)"],
     '"[ALERT] Application-specific password required (Failure)"'),
    (["* NO [WEBALERT https://accounts.google.com/signin?continue=1] Web login required.",
      "NO [ALERT] Please log in via your web browser (Failure)"],
     '"[ALERT] Please log in via your web browser (Failure)" and "[WEBALERT '
     'https://accounts.google.com/signin?continue=1] Web login required."'),
    (["* OK [ALERT] We moved.", "* NO [ALERT] Twice.", "NO [AUTHENTICATIONFAILED] no"],
     '"no" and "[ALERT] We moved. [ALERT] Twice."')])
def test_the_servers_alerts_are_given(tmp_path, lines, says):
    with Scripted([always("^LOGIN|^AUTHENTICATE", *lines)],
                  capabilities="IMAP4rev1 AUTH=PLAIN") as server:
        result = one(tmp_path, server, provider="gmail")
    assert result.status == 77
    assert result.err == (f"mailsync: home: the server refused the login of user me (PLAIN), saying {says}"
                          f"; {ADVICE}{GMAIL}\n")


def test_the_page_that_a_pop3_server_names_is_given(tmp_path):
    says = "[WEBALERT https://accounts.google.com/signin] Web login required."
    with Maildrop(at={"PASS": f"-ERR {says}"}) as drop:
        result = one(tmp_path, drop, provider="gmail", protocol="pop3")
    assert result.status == 77
    assert result.err == ("mailsync: home: the server refused the login of user me (USER), saying "
                          f'"{says}"; {ADVICE}{GMAIL}\n')


def test_an_alert_of_a_login_that_works_is_a_warning(tmp_path):
    with Scripted([always("^LOGIN|^AUTHENTICATE", "* OK [WEBALERT https://x.org/] Look.", "OK in")],
                  capabilities="IMAP4rev1 AUTH=PLAIN") as server:
        result = one(tmp_path, server, provider="gmail")
    assert result.status == 0
    assert result.err == ("mailsync: home#1: the server wants you to know: [WEBALERT https://x.org/] "
                          "Look.\n")


def test_a_password_in_an_alert_is_not_repeated(tmp_path):
    with Scripted([always("^LOGIN|^AUTHENTICATE", "* NO [WEBALERT https://x.org/sesame] sesame",
                          "NO [ALERT] sesame")], capabilities="IMAP4rev1 AUTH=PLAIN") as server:
        result = one(tmp_path, server)
    assert result.status == 77 and "sesame" not in result.err and "[WEBALERT" in result.err


def test_a_provider_is_known_by_its_server(tmp_path):
    """Whether an account names it or not, and one's own before the built-in ones."""
    with Scripted([NO], capabilities="IMAP4rev1 AUTH=PLAIN") as server:
        account = program.Account(tmp_path, server, "me", password="sesame")
        account.others["provider mine"] = {
            "host": "127.0.0.1", "port": server.port, "help_code": "Ask Bob: https://example.org/"}
        result = account.run("check")
    assert result.err.endswith(f"{ADVICE}. The usual cause: Ask Bob: https://example.org/\n")


def test_the_next_try_is_told_where_nobody_looks(tmp_path):
    with Scripted([NO], capabilities="IMAP4rev1 AUTH=PLAIN") as server:
        account = program.Account(tmp_path, server, "me", password="sesame", provider="gmail")
        result = account.run("sync")
        assert result.status == 77
        assert re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "THEN", result.err) == (
            "mailsync: home: the server refused the login of user me (PLAIN), saying \"wrong\"; "
            f"{ADVICE}{GMAIL} (the next try is at THEN, or at once when the password or the "
            "configuration is another, or by `mailsync check home`)\n")
        again = account.run("sync")
    assert again.status == 77 and "the server refused the login on " in again.err
    at = re.search(r"next try is at (\S+ \S+),", result.err)[1]
    assert f"the next try is at {at}, or at once" in again.err


def test_microsoft_that_has_no_mailbox_for_a_token(tmp_path):
    refusal = 'NO User is authenticated but not connected.'
    with Scripted([always("^AUTHENTICATE", "OK in"), always("^LIST|^NAMESPACE|^STATUS", refusal)],
                  capabilities="IMAP4rev1 SASL-IR AUTH=XOAUTH2") as server:
        result = one(tmp_path, server, provider="outlook", auth="xoauth2")
    assert result.status == 77
    assert result.err.endswith(". The usual cause: " + PROVIDERS["outlook"]["help_imap_off"] + "\n")
