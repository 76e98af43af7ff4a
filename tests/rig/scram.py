"""A scripted IMAP server under TLS that knows SCRAM (RFC 5802, 7677) with channel bindings: no real
one of Debian's verifies `tls-server-end-point`, or refuses a kind of binding by its name."""

import base64
import hashlib
import hmac
import os
import re
import ssl

from .host import PASSWORD
from .scripted import CAPABILITIES, Scripted, tls

ROUNDS = 4096


class ScramServer(Scripted):
    """MECHANISMS are offered. TAKES: the kinds of binding that it has, each with a function of the
    connection and the DER of its certificate that gives the data."""

    def __init__(self, certificate, key, takes, mechanisms="SCRAM-SHA-256-PLUS SCRAM-SHA-256",
                 version=ssl.TLSVersion.TLSv1_2, password=PASSWORD):
        offered = " ".join("AUTH=" + name for name in mechanisms.split())
        self.how = tls(str(certificate), str(key))
        self.certificate = ssl.PEM_cert_to_DER_cert(open(certificate).read()[
            open(certificate).read().index("-----BEGIN CERTIFICATE"):])
        self.takes = takes
        self.version = version
        self.password = password
        self.headers = []            # the gs2-header of each try
        super().__init__(capabilities=f"{CAPABILITIES} SASL-IR LOGINDISABLED {offered}")

    def under_tls(self, conn, how):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(how.certificate, how.key)
        context.maximum_version = self.version
        return context.wrap_socket(conn, server_side=True)

    def serve(self, conn):
        super().serve(self.under_tls(conn, self.how))

    def command(self, conn, lines):
        tag, command = super().command(conn, lines)
        while command.startswith("AUTHENTICATE SCRAM-"):
            status = self.exchange(conn, lines, command)
            conn.sendall(f"{tag} {status}\r\n".encode())
            tag, command = super().command(conn, lines)
        return tag, command

    def exchange(self, conn, lines, command):
        def ask(text):
            conn.sendall(b"+ " + base64.b64encode(text.encode()) + b"\r\n")
            return base64.b64decode(lines.readline()).decode()

        _, name, initial = command.split(" ")
        header, bare = re.fullmatch("([^,]*,[^,]*,)(.*)", base64.b64decode(initial).decode()).groups()
        self.headers.append(header)
        data = self.binding(conn, header)
        if data is None:
            ask("e=unsupported-channel-binding-type")
            return "NO not so"
        if header == "y,," and self.takes:
            ask("e=server-does-support-channel-binding")
            return "NO somebody is between us"
        salt, nonce = os.urandom(16), re.search("r=(.*)", bare)[1] + "server"
        first = f"r={nonce},s={base64.b64encode(salt).decode()},i={ROUNDS}"
        final = ask(first)
        without, proof = re.fullmatch("(.*),p=(.*)", final).groups()
        if base64.b64decode(re.match("c=([^,]*)", without)[1]) != header.encode() + data:
            ask("e=channel-bindings-dont-match")
            return "NO not this connection"
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), salt, ROUNDS)
        said = f"{bare},{first},{without}".encode()
        client = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(client).digest(), said, "sha256")
        if base64.b64decode(proof) != bytes(a ^ b for a, b in zip(client, signature)):
            ask("e=invalid-proof")
            return "NO [AUTHENTICATIONFAILED] wrong"
        mine = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), said, "sha256")
        ask("v=" + base64.b64encode(mine).decode())
        return f"OK [CAPABILITY {CAPABILITIES}] in"

    def binding(self, conn, header):
        """What HEADER says that the login is bound to; None: a kind that is not taken."""
        kind = re.match("p=([^,]*)", header)
        if not kind:
            return b""
        give = self.takes.get(kind[1])
        return give(conn, self.certificate) if give else None


def end_point(_conn, certificate):
    return hashlib.sha256(certificate).digest()


def unique(conn, _certificate):
    return conn.get_channel_binding("tls-unique")


def another(_conn, _certificate):
    """That of the connection which somebody in the middle has."""
    return bytes(32)
