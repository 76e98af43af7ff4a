"""A private OAuth 2.0 authorization server, whose tokens a private Dovecot takes. It checks what a
client sends (PKCE, redirect, client, rotation of refresh tokens) and misbehaves on demand.

    with Authority(dovecot) as authority:
        authority.keys()             what an account's section needs (oauth = custom)
        authority.consent(url)       what a browser does with the address that `login` prints
        authority.asked("/token")    the forms that came there

Whatever a test sets on the object holds from the next request on.
"""

import base64
import hashlib
import http.client
import http.server
import json
import os
import secrets
import ssl
import threading
import urllib.parse
from dataclasses import dataclass, field

from .host import Authority as CertificateAuthority

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
REDIRECT_HOSTS = ("127.0.0.1", "localhost", "::1")


@dataclass
class Grant:
    """What one consent gave: its living refresh tokens, the newest last."""
    user: str
    client: str
    scope: str
    refresh: list = field(default_factory=list)
    is_dead: bool = False


@dataclass
class Fault:
    """The reply to the next request to PATH in place of the right one."""
    path: str
    status: int = 200
    body: bytes = b"{}"
    headers: dict = field(default_factory=dict)
    does_it_all_the_same: bool = False    # the reply is lost, and not the act


class Authority:
    def __init__(self, dovecot, tls=False):
        self.dovecot = dovecot
        self.lock = threading.Lock()
        # What it does.
        self.client, self.client_secret = "mail-client", None
        self.lifetime = 3600              # of access tokens
        self.expires_in = "number"        # number, text, missing
        self.lives = None                 # how long they really do
        self.rotates = True
        self.takes_the_one_before = False  # until its successor was used once
        self.gives_refresh = True
        self.refresh_bytes = 32           # random ones in a refresh token
        self.spoils = None                # function of a token reply's bytes: what goes out
        self.owes = 0                     # bytes of it that are promised, and do not come
        self.grants_scope = None          # another scope than asked for
        self.sends_iss = True
        self.iss = None                   # another one than it should be
        self.issuer_told = None           # likewise, in the metadata
        self.registers_as = None          # function of the redirect: another one
        self.consents_as = None           # another user than the hint's
        self.refuses_with = None          # error of the authorization
        self.interval, self.device_answers = 1, []   # errors of the device flow, one a poll
        self.metadata_path = "/.well-known/oauth-authorization-server"
        self.faults = []
        # What happened.
        self.requests = []                # (path, form)
        self.refreshes = 0
        self.grants = []
        self.codes = {}
        self.devices = {}
        self.clients = {}                 # registered: id -> redirects
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None   # who asked is gone
        self.scheme, self.ca = "http", None
        if tls:
            certificates = CertificateAuthority(dovecot.base / "authority")
            pem, key = certificates.issue("authority", "good")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem, key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.scheme, self.ca = "https", str(certificates.ca)
        self.port = self.server.server_address[1]
        self.issuer = f"{self.scheme}://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    # For tests.

    def url(self, path):
        return self.issuer + path

    def keys(self, **more):
        return {"password": None, "oauth": "custom", "oauth_client_id": self.client,
                "oauth_scope": "mail", "oauth_auth_url": self.url("/authorize"),
                "oauth_token_url": self.url("/token"), "oauth_device_url": self.url("/device"),
                "oauth_ca_file": self.ca, **more}

    def asked(self, path):
        return [form for where, form in self.requests if where == path]

    def consent(self, url):
        """Opens URL as a browser does, and goes where it is sent; (status, page) of there."""
        status, location, _ = self.get(url)
        assert status == 302, f"the authorization server answers {status}"
        status, _, page = self.get(location)
        return status, page

    def get(self, url):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=20,
                context=ssl.create_default_context(cafile=self.ca))
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
        connection.request("GET", (parts.path or "/") + ("?" + parts.query if parts.query else ""))
        reply = connection.getresponse()
        page = reply.read()
        connection.close()
        return reply.status, reply.getheader("Location"), page

    def forget(self):
        """All refresh tokens are dead."""
        for grant in self.grants:
            grant.is_dead = True

    # The server.

    def handler(self):
        authority = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                parts = urllib.parse.urlsplit(self.path)
                self.answer(parts.path, dict(urllib.parse.parse_qsl(parts.query)), b"")

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                form = dict(urllib.parse.parse_qsl(body.decode()))
                kind, _, pair = self.headers.get("Authorization", "").partition(" ")
                if kind == "Basic":
                    name, _, secret = base64.b64decode(pair).decode().partition(":")
                    form["client_id"] = urllib.parse.unquote(name)
                    form["client_secret"] = urllib.parse.unquote(secret)
                self.answer(urllib.parse.urlsplit(self.path).path, form, body)

            def answer(self, path, form, body):
                with authority.lock:
                    authority.requests.append((path, form))
                    status, reply, headers = authority.reply(path, form, body)
                data = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
                if authority.spoils and path == "/token" and status == 200:
                    data = authority.spoils(data)
                owes = authority.owes if path == "/token" and status == 200 else 0
                self.close_connection = owes > 0
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(data) + owes))
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    pass                  # whoever asked is gone

        return Handler

    def reply(self, path, form, body):
        for fault in self.faults:
            if fault.path == path:
                self.faults.remove(fault)
                if fault.does_it_all_the_same:
                    self.right_reply(path, form, body)
                return fault.status, fault.body, fault.headers
        return self.right_reply(path, form, body)

    def right_reply(self, path, form, body):
        acts = {"/authorize": self.authorize, "/token": self.token, "/device": self.device,
                "/revoke": self.revoke, self.metadata_path: self.metadata}
        if path == "/register":
            return self.register(body)
        if path not in acts:
            return 404, {"error": "not_found"}, {}
        return acts[path](form)

    def metadata(self, _):
        return 200, {
            "issuer": self.issuer_told or self.issuer,
            "authorization_endpoint": self.url("/authorize"),
            "token_endpoint": self.url("/token"),
            "device_authorization_endpoint": self.url("/device"),
            "registration_endpoint": self.url("/register"),
            "revocation_endpoint": self.url("/revoke"),
            "scopes_supported": ["mail", "offline_access"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": self.sends_iss,
        }, {}

    def register(self, body):
        request = json.loads(body)
        if not request.get("scope"):
            return 400, {"error": "invalid_client_metadata", "error_description": "no scope"}, {}
        name = "registered-" + secrets.token_hex(8)
        redirects = [self.registers_as(r) if self.registers_as else r
                     for r in request["redirect_uris"]]
        self.clients[name] = redirects
        return 201, {**request, "client_id": name, "redirect_uris": redirects}, {}

    def redirect_is_right(self, client, redirect):
        """RFC 8252: any port of a loopback address."""
        parts = urllib.parse.urlsplit(redirect)
        if parts.scheme != "http" or parts.hostname not in REDIRECT_HOSTS:
            return False
        registered = self.clients.get(client)
        return registered is None or any(
            (parts.hostname, parts.path) == (r.hostname, r.path)
            for r in map(urllib.parse.urlsplit, registered))

    def authorize(self, form):
        known = form.get("client_id") in (self.client, *self.clients)
        if not known or not self.redirect_is_right(form["client_id"], form.get("redirect_uri", "")):
            return 400, {"error": "invalid_request"}, {}
        answer = {"state": form.get("state", "")}
        if self.sends_iss:
            answer["iss"] = self.iss or self.issuer
        if self.refuses_with:
            answer.update(self.refuses_with)
        elif form.get("code_challenge_method") != "S256" or form.get("response_type") != "code":
            answer["error"] = "invalid_request"
        else:
            code = answer["code"] = secrets.token_urlsafe(32)
            self.codes[code] = form
        return 302, {}, {"Location": form["redirect_uri"] + "?" + urllib.parse.urlencode(answer)}

    def device(self, form):
        code = secrets.token_urlsafe(32)
        self.devices[code] = form
        return 200, {"device_code": code, "user_code": "WDJB-MJHT",
                     "verification_uri": self.url("/enter"), "expires_in": 600,
                     "interval": self.interval}, {}

    def token(self, form):
        client = form.get("client_id")
        if client not in (self.client, *self.clients) or \
                (client == self.client and form.get("client_secret") != self.client_secret):
            return 401, {"error": "invalid_client"}, {}
        kinds = {"authorization_code": self.by_code, "refresh_token": self.by_refresh,
                 DEVICE_GRANT: self.by_device}
        kind = kinds.get(form.get("grant_type"))
        return kind(form) if kind else (400, {"error": "unsupported_grant_type"}, {})

    def by_code(self, form):
        asked = self.codes.pop(form.get("code"), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if asked is None or asked["client_id"] != form["client_id"] or \
                asked["redirect_uri"] != form.get("redirect_uri") or \
                asked["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}, {}
        return self.give(self.new_grant(asked))

    def new_grant(self, asked):
        grant = Grant(self.consents_as or asked.get("login_hint"), asked["client_id"],
                      asked.get("scope", ""))
        self.grants.append(grant)
        return grant

    def by_device(self, form):
        if self.device_answers:
            return 400, {"error": self.device_answers.pop(0)}, {}
        asked = self.devices.pop(form.get("device_code"), None)
        return self.give(self.new_grant(asked)) if asked else (400, {"error": "expired_token"}, {})

    def by_refresh(self, form):
        used = form.get("refresh_token")
        for grant in self.grants:
            if used not in grant.refresh:
                continue
            is_newest = used == grant.refresh[-1]
            if grant.is_dead or not (is_newest or self.takes_the_one_before and
                                     used == grant.refresh[-2]):
                grant.is_dead = True      # who uses an old one may have stolen it
                return 400, {"error": "invalid_grant"}, {}
            if self.rotates:
                grant.refresh = [used]    # its successor takes the place of one never used
            self.refreshes += 1
            return self.give(grant)
        return 400, {"error": "invalid_grant"}, {}

    def give(self, grant):
        scope = grant.scope if self.grants_scope is None else self.grants_scope
        lives = self.lifetime if self.lives is None else self.lives
        access = self.dovecot.mint_token(grant.user, lives)
        reply = {"access_token": access, "token_type": "Bearer", "scope": scope}
        if self.expires_in != "missing":
            reply["expires_in"] = str(self.lifetime) if self.expires_in == "text" else self.lifetime
        if self.gives_refresh and (self.rotates or not grant.refresh):
            grant.refresh.append(secrets.token_urlsafe(self.refresh_bytes))
            reply["refresh_token"] = grant.refresh[-1]
        return 200, reply, {}

    def revoke(self, form):
        for grant in self.grants:
            if form.get("token") in grant.refresh:
                grant.is_dead = True
        return 200, {}, {}


def wait_for_address(process):
    """The address that `login` prints on its standard error. What follows is left there."""
    told = b""
    while True:
        more = os.read(process.stderr.fileno(), 1)
        assert more, f"login ended: {told.decode()}"
        told += more
        line = told.rpartition(b"\n")[0].rpartition(b"\n")[2].strip()
        if more == b"\n" and line.startswith(b"http"):
            return line.decode()
