"""A mail server that one client at a time submits to: STARTTLS, one SASL mechanism, and a message."""

import base64
import socket
import ssl
import threading


class Smtp:
    """After the client has gone: `said` (its commands), `initial` (of AUTH, decoded), `message`."""

    def __init__(self, certificate, key, mechanism):
        self.mechanism = mechanism
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.said, self.initial, self.message = [], None, None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def wait(self, seconds=20):
        """Until the client has gone."""
        self.thread.join(seconds)
        assert not self.thread.is_alive(), self.said

    def _serve(self):
        client, _ = self.listener.accept()
        client.settimeout(20)
        client.sendall(b"220 rig ESMTP\r\n")
        lines = client.makefile("rb")
        while line := lines.readline():
            words = line.decode().split()
            self.said.append(words[0].upper())
            if words[0].upper() == "STARTTLS":
                client.sendall(b"220 go\r\n")
                client = self.context.wrap_socket(client, server_side=True)
                lines = client.makefile("rb")
                continue
            if words[0].upper() == "DATA":
                client.sendall(b"354 go\r\n")
                self.message = b""
                while (part := lines.readline()) not in (b".\r\n", b""):
                    self.message += part
                client.sendall(b"250 taken\r\n")
                continue
            client.sendall(self._answer(words))
            if words[0].upper() == "QUIT":
                return

    def _answer(self, words):
        name = words[0].upper()
        if name == "EHLO":
            offer = f"250 AUTH {self.mechanism}" if "STARTTLS" in self.said else "250 STARTTLS"
            return f"250-rig\r\n{offer}\r\n".encode()
        if name == "AUTH":
            self.initial = base64.b64decode(words[2])
            return b"235 in\r\n"
        return b"221 bye\r\n" if name == "QUIT" else b"250 ok\r\n"
