"""A small internet on loopback: a name server, web servers that speak HTTPS, and mail servers that
greet and say what they offer. The program is led there by names_shim.c.

    with Internet(folder, shim) as internet:
        internet.mx("example.org", "mx.example.net")
        internet.srv("_imaps._tcp.example.org", "imap.example.net", 993)
        internet.mail("imap.example.net", 993)
        internet.pacc("example.org", {"protocols": {"imap": {"host": "imap.example.net"}}})
        subprocess.run([mailsync, ...], env={**os.environ, **internet.environment()})
        internet.asked          (name, type) of each question
        internet.said           what came to the mail servers, line by line
    internet.carried        name:port that the proxy (internet.socks()) was asked for
"""

import base64
import hashlib
import json
import socket
import socketserver
import ssl
import struct
import threading

from .host import Authority

TYPES = {"A": 1, "MX": 15, "TXT": 16, "SRV": 33}
PACC_PATH = "/.well-known/user-agent-configuration.json"
IMAP = "IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=SCRAM-SHA-256"
HANGS, FAILS, GARBAGE, CUT = "hangs", "fails", "garbage", "cut"     # instead of an answer


def wire_name(name):
    labels = [label for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


class Names(socketserver.BaseRequestHandler):
    def handle(self):
        packet, sock = self.request
        end = packet.index(b"\0", 12)
        labels, at = [], 12
        while at < end:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode())
            at += 1 + packet[at]
        number = struct.unpack(">H", packet[end + 1:end + 3])[0]
        kind = {value: key for key, value in TYPES.items()}.get(number, number)
        internet, name = self.server.internet, ".".join(labels).lower()
        internet.asked.append((name, kind))
        answer = self.answer(internet, name, kind, packet[:2], packet[12:end + 5])
        if answer is not None:
            sock.sendto(answer, self.client_address)

    @staticmethod
    def answer(internet, name, kind, ident, question):
        """None: none comes."""
        records = internet.records.get((name, kind), internet.default)
        if kind == "A" and name in internet.hosts:
            records = [socket.inet_aton(internet.hosts[name])]
        if records == HANGS:
            return None
        if records == GARBAGE:
            return ident + b"\x81\x80\0\1\0\3\0\0\0\0" + question + b"\xc0\xff" * 40
        if records == CUT:
            return ident + b"\x83\x80\0\1\0\0\0\0\0\0" + question
        code = 2 if records == FAILS else 0
        if records is None:
            names = [*(of for of, _ in internet.records), *internet.hosts]
            known = any(of == name or of.endswith("." + name) for of in names)
            code, records = 0 if known else 3, []
        if records == FAILS:
            records = []
        body = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", TYPES[kind], 1, 60, len(data)) + data
                        for data in records)
        return ident + struct.pack(">HHHHH", 0x8180 | code, 1, len(records), 0, 0) + question + body


class Speaker(socketserver.BaseRequestHandler):
    """A TLS server; what is said is up to the subclass."""

    def handle(self):
        self.request.settimeout(30)
        try:
            if self.server.talk == HANGS:
                self.request.recv(65536)
                self.server.internet.over.wait(30)
            elif self.server.is_tls:
                self.begin_tls()
                self.speak()
            else:
                self.speak()
        except OSError:
            pass           # who asked is gone, or did not like the certificate

    def begin_tls(self):
        self.request = self.server.context.wrap_socket(self.request, server_side=True)


class Web(Speaker):
    def speak(self):
        request = b""
        while b"\r\n\r\n" not in request:
            part = self.request.recv(65536)
            if not part:
                return
            request += part
        self.server.internet.requests.append(request.split(b"\r\n")[0].decode())
        status, body = self.server.talk
        self.request.sendall(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                             % (status, len(body)) + body)


class Mail(Speaker):
    def speak(self):
        is_pop3 = self.server.is_pop3
        self.say("+OK hello" if is_pop3 else "* OK hello")
        buffer = b""
        while True:
            part = self.request.recv(65536)
            if not part:
                return
            buffer += part
            *lines, buffer = buffer.split(b"\r\n")
            for line in lines:
                self.server.internet.said.append(line.decode("latin-1"))
                (self.pop3 if is_pop3 else self.imap)(line.decode("latin-1"))

    def say(self, *lines):
        self.request.sendall("".join(line + "\r\n" for line in lines).encode())

    def imap(self, line):
        tag, command = line.split(" ", 1)
        if command == "STARTTLS":
            self.say(f"{tag} OK begin")
            self.begin_tls()
        elif command == "CAPABILITY":
            is_clear = not isinstance(self.request, ssl.SSLSocket)
            self.say("* CAPABILITY " + ("IMAP4rev1 STARTTLS LOGINDISABLED" if is_clear
                                        else self.server.talk), f"{tag} OK done")
        elif command == "LOGOUT":
            self.say("* BYE", f"{tag} OK done")
        else:
            self.say(f"{tag} NO not here")

    def pop3(self, line):
        if line == "STLS":
            self.say("+OK begin")
            self.begin_tls()
        elif line == "CAPA":
            is_clear = not isinstance(self.request, ssl.SSLSocket)
            self.say("+OK", *(["STLS"] if is_clear else self.server.talk.split("|")), ".")
        elif line == "QUIT":
            self.say("+OK")
        else:
            self.say("-ERR not here")


class Socks(socketserver.BaseRequestHandler):
    """SOCKS5 to this internet, by names alone."""

    def handle(self):
        try:
            with self.request.makefile("rb") as read:
                read.read(read.read(2)[1])
                self.request.sendall(b"\5\0")
                read.read(4)
                name = read.read(read.read(1)[0]).decode()
                port = struct.unpack(">H", read.read(2))[0]
            internet = self.server.internet
            internet.carried.append(f"{name}:{port}")
            real = internet.ports.get(f"{internet.hosts.get(name)}:{port}")
            self.request.sendall(b"\5%c\0\1\0\0\0\0\0\0" % (0 if real else 4))
            if real:
                with socket.create_connection(("127.0.0.1", real)) as inside:
                    back = threading.Thread(target=self.carry, args=(inside, self.request))
                    back.start()
                    self.carry(self.request, inside)
                    back.join()
        except OSError:
            pass

    @staticmethod
    def carry(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


class Internet:
    def __init__(self, folder, shim):
        self.shim = shim
        self.certificates = Authority(folder)
        self.over = threading.Event()
        self.records, self.default = {}, None
        self.hosts, self.ports = {}, {}
        self.asked, self.requests, self.said, self.carried = [], [], [], []
        self.servers = []
        self.names = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Names)
        self.names.daemon_threads = True
        self.begin(self.names)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def begin(self, server):
        server.internet = self
        self.servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    # What is in it.

    def put(self, name, kind, records):
        self.records[name, kind] = records

    def mx(self, name, *hosts):
        self.put(name, "MX", [struct.pack(">H", 10 * at) + wire_name(host)
                              for at, host in enumerate(hosts, 1)])

    def srv(self, name, host, port, priority=0, weight=1):
        data = struct.pack(">HHH", priority, weight, port) + wire_name(host)
        self.records.setdefault((name, "SRV"), []).append(data)

    def txt(self, name, *texts):
        self.put(name, "TXT", [b"".join(bytes([len(text[i:i + 200])]) + text[i:i + 200].encode()
                                        for i in range(0, len(text), 200)) for text in texts])

    def host(self, name):
        """The address of the host NAME."""
        return self.hosts.setdefault(name, f"127.1.0.{len(self.hosts) + 2}")

    def listen(self, name, port, handler, talk, kind="good"):
        server = Tcp(("127.0.0.1", 0), handler)
        pem, key = self.certificates.issue(f"{name}-{kind}", kind, [name])
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.context.load_cert_chain(pem, key)
        server.talk, server.is_tls = talk, port in (443, 993, 995)
        server.is_pop3 = port in (110, 995)
        self.ports[f"{self.host(name)}:{port}"] = server.server_address[1]
        self.begin(server)
        return server

    def mail(self, name, port, offer=IMAP, kind="good"):
        return self.listen(name, port, Mail, offer, kind)

    def web(self, name, body=b"", status=200, kind="good"):
        return self.listen(name, 443, Web, body if body == HANGS else (status, body), kind)

    def socks(self):
        """A proxy; the names that it is given are in `carried`. Its port."""
        server = Tcp(("127.0.0.1", 0), Socks)
        self.begin(server)
        return server.server_address[1]

    def pacc(self, domain, document, record="right"):
        """RECORD: right, wrong or None."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        digest = hashlib.sha256(body if record == "right" else b"other").digest()
        if record is not None:
            self.txt(f"_ua-auto-config.{domain}", "v=spf1 -all",
                     f"v=UAAC1; a=sha256; d={base64.b64encode(digest).decode()}")
        return self.web(f"ua-auto-config.{domain}", body)

    def environment(self):
        def listed(table):
            return "," + "".join(f"{key}={value}," for key, value in table.items())

        return {"LD_PRELOAD": self.shim, "NAMES_DNS": str(self.names.server_address[1]),
                "NAMES_HOSTS": listed(self.hosts), "NAMES_PORTS": listed(self.ports),
                "NAMES_CA": str(self.certificates.ca)}
