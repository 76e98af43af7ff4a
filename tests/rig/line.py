"""A TCP line to a server: delay, bandwidth, faults, and what went over it.

    with Line(server.port, rtt_ms=50) as line:
        ... connect to 127.0.0.1:line.port ...
    line.connections[0].turns

Each direction hands bytes on half a round trip after they came in, in order, however many are on
their way: pipelined commands overlap as on a real line. A connection reaches the server 1.5 round
trips after the client opened it, for the handshake that the client's own TCP has with this proxy
costs it nothing; so the first answer arrives when it would from afar. No slow start, no loss.

`turns` counts how often the client sent something after the server had: at a delay well above the
server's own, the round trips that the client waited.

It runs in a process of its own, so that the tests' work does not slow it.
"""

import asyncio
import collections
import json
import multiprocessing
import os
import re
import signal
import socket
import struct
import tempfile
from typing import NamedTuple, Optional

WINDOW = 32 << 20     # bytes under way in a direction without a cap before reading stops
SLICE = 16384         # bytes that a capped line carries in one go


class Options(NamedTuple):
    rtt_ms: float = 0
    kbit_s: float = 0                       # each direction, all connections together
    cut_after: Optional[int] = None         # close the connection after so many bytes
    stall_after: Optional[int] = None       # go silent, both ways, and stay open
    side: str = "server"                    # whose bytes those two count: "server" or "client"
    reset: bool = False                     # cut by RST instead of FIN
    fault_first: int = 0                    # only the first so many connections meet the fault
    max_connections: int = 0                # close further ones at once
    hide: str = ""                          # regex deleted from the server's plain-text lines
    source: str = ""                        # connect from this loopback address


class Connection(NamedTuple):
    up: int
    down: int
    turns: int
    seconds: float
    fault: Optional[str]


class Hider:
    """Deletes a pattern from a server's lines, leaving literals alone."""

    LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")

    def __init__(self, pattern):
        self.pattern = re.compile(pattern.encode())
        self.rest = b""
        self.literal = 0

    def feed(self, data):
        out, at = [], 0
        data = self.rest + data
        while at < len(data):
            if self.literal:
                part = data[at:at + self.literal]
                self.literal -= len(part)
                at += len(part)
                out.append(part)
                continue
            end = data.find(b"\n", at) + 1
            if not end:
                break
            found = self.LITERAL.search(data[at:end])
            if found:
                self.literal = int(found[1])
            out.append(self.pattern.sub(b"", data[at:end]))
            at = end
        self.rest = data[at:]
        return b"".join(out)


class End(asyncio.Protocol):
    """One end of a connection; what it reads goes to its peer, late."""

    def __init__(self, link, side):
        self.link, self.side = link, side
        self.transport = self.peer = self.timer = None
        self.queue = collections.deque()    # (time, bytes), None for the end
        self.under_way = 0
        self.holds = set()

    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.link.opened(self)

    def data_received(self, data):
        data = self.link.saw(self.side, data)
        for at in range(0, len(data), SLICE if self.link.line.rate else len(data) or 1):
            part = data[at:at + SLICE] if self.link.line.rate else data
            self.queue.append((self.link.line.arrival(self.side, len(part)), part))
            self.under_way += len(part)
        if self.under_way > self.link.line.window:
            self.hold("window", True)
        self.arm()

    def eof_received(self):
        self.queue.append((self.link.line.arrival(self.side, 0), None))
        self.arm()
        return True

    def connection_lost(self, error):
        if not (self.link.fault == "stall" and self.side == "server"):
            self.link.finish(bool(error))

    def pause_writing(self):
        self.peer.hold("peer", True)

    def resume_writing(self):
        self.peer.hold("peer", False)

    def hold(self, why, on):
        (self.holds.add if on else self.holds.discard)(why)
        if self.transport is None or self.transport.is_closing():
            return
        if self.holds and self.transport.is_reading():
            self.transport.pause_reading()
        elif not self.holds and not self.transport.is_reading():
            self.transport.resume_reading()

    def arm(self):
        if self.timer is None and self.queue and self.peer.transport and not self.link.dead:
            loop = self.link.line.loop
            if self.queue[0][0] <= loop.time():
                self.deliver()
            else:
                self.timer = loop.call_at(self.queue[0][0], self.deliver)

    def deliver(self):
        self.timer = None
        now = self.link.line.loop.time()
        while self.queue and self.queue[0][0] <= now and not self.link.dead:
            data = self.queue.popleft()[1]
            if data is None:
                self.link.half_closed(self)
                continue
            self.under_way -= len(data)
            data = self.link.spend(self.side, data)
            if data and not self.peer.transport.is_closing():
                self.peer.transport.write(data)
            self.link.check_cut()
        if self.under_way <= self.link.line.window:
            self.hold("window", False)
        if not self.link.dead:
            self.arm()


class Link:
    """A client's connection and the one made for it to the server."""

    def __init__(self, line):
        self.line = line
        self.began = line.loop.time()
        self.bytes = {"client": 0, "server": 0}
        self.turns, self.last = 0, "server"
        self.dead, self.fault, self.ended = False, None, set()
        o = line.options
        self.plan = None
        if not (o.fault_first and line.accepted > o.fault_first):
            if o.cut_after is not None:
                self.plan, self.left = "cut", o.cut_after
            elif o.stall_after is not None:
                self.plan, self.left = "stall", o.stall_after
        self.hider = Hider(o.hide) if o.hide else None
        self.client, self.server = End(self, "client"), End(self, "server")
        self.client.peer, self.server.peer = self.server, self.client

    def opened(self, end):
        if end is self.server:
            self.client.arm()
            return
        self.line.links.add(self)
        limit = self.line.options.max_connections
        if limit and len(self.line.links) > limit:
            self.fault = "refused"
            self.finish()
            return
        delay = 1.5 * self.line.options.rtt_ms / 1000
        self.line.loop.call_later(delay, lambda: self.line.loop.create_task(self.dial()))

    async def dial(self):
        source = self.line.options.source
        try:
            await self.line.loop.create_connection(
                lambda: self.server, *self.line.target,
                local_addr=(source, 0) if source else None)
        except OSError:
            self.fault = "no server"
            self.finish(True)

    def saw(self, side, data):
        self.bytes[side] += len(data)
        if side == "client" and self.last == "server":
            self.turns += 1
        self.last = side
        return self.hider.feed(data) if side == "server" and self.hider else data

    def spend(self, side, data):
        """The part of DATA that passes before the planned fault."""
        if self.fault:
            return b""
        if self.plan is None or side != self.line.options.side:
            return data
        data = data[:self.left]
        self.left -= len(data)
        if self.left == 0:
            self.fault = self.plan
        return data

    def check_cut(self):
        if self.fault == "cut":
            self.finish(self.line.options.reset)

    def half_closed(self, end):
        self.ended.add(end.side)
        if len(self.ended) == 2 or (self.fault == "stall" and end is self.client):
            self.finish()
        elif self.fault != "stall" and not end.peer.transport.is_closing():
            try:
                end.peer.transport.write_eof()
            except OSError:
                self.finish()        # it is gone already

    def finish(self, abort=False):
        if self.dead:
            return
        self.dead = True
        for end in (self.client, self.server):
            if end.timer:
                end.timer.cancel()
            if end.transport is None:
                continue
            if abort:
                # No lingering: the close sends RST.
                end.transport.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.transport.abort()
            else:
                end.transport.close()
        self.line.links.discard(self)
        self.line.report(Connection(self.bytes["client"], self.bytes["server"], self.turns,
                                    round(self.line.loop.time() - self.began, 4), self.fault))


class Proxy:
    """What runs in the process of a Line."""

    def __init__(self, sock, target, options, log):
        self.sock, self.target, self.options, self.log = sock, target, options, log
        self.rate = options.kbit_s * 125
        delay = options.rtt_ms / 2000
        self.window = max(65536, self.rate * (2 * delay + 0.2)) if self.rate else WINDOW
        self.delay = delay
        self.free = {"client": 0.0, "server": 0.0}
        self.links, self.accepted, self.loop = set(), 0, None

    def arrival(self, side, size):
        now = self.loop.time()
        if not self.rate:
            return now + self.delay
        self.free[side] = max(now, self.free[side]) + size / self.rate
        return self.free[side] + self.delay

    def report(self, connection):
        os.write(self.log, json.dumps(connection).encode() + b"\n")

    def accept(self):
        self.accepted += 1
        return Link(self).client

    async def serve(self):
        self.loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        self.loop.add_signal_handler(signal.SIGTERM, stop.set)
        self.loop.add_signal_handler(signal.SIGINT, lambda: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        server = await self.loop.create_server(self.accept, sock=self.sock, backlog=256)
        await stop.wait()
        server.close()
        for link in list(self.links):
            link.finish(abort=True)


def _run(sock, target, options, log):
    asyncio.run(Proxy(sock, target, options, log).serve())


class Line:
    """A proxy to TARGET, a port of 127.0.0.1, with the Options as keywords."""

    def __init__(self, target, **options):
        self.options = Options(**options)
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        # A file: a pipe that nobody reads is full after some 800 connections, and the line stands.
        self.log = tempfile.TemporaryFile()
        context = multiprocessing.get_context("fork")
        self.process = context.Process(target=_run, daemon=True, args=(
            self.sock, ("127.0.0.1", target), self.options, self.log.fileno()))
        # A SIGTERM that comes before the child has its own handler waits, or it would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        self.sock.close()
        self.done = None

    @property
    def connections(self):
        """All finished connections; ends the proxy."""
        self.stop()
        return self.done

    @property
    def turns(self):
        return sum(connection.turns for connection in self.connections)

    def stop(self):
        if self.done is None:
            self.process.terminate()
            self.process.join(5)
            self.log.seek(0)
            self.done = [Connection(*json.loads(row)) for row in self.log]
            self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


