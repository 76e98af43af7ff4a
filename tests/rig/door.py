"""A port of 127.0.0.1 at which each that connects gets a thread: the frame of the rig's own servers."""

import socket
import threading


class Door:
    """Whoever derives from it has serve(conn), or meet(conn, number) with how many came so far."""

    def __init__(self):
        self.connections, self.threads = 0, []
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self.meet, args=(conn, self.connections), daemon=True)
            self.threads.append(thread)
            thread.start()

    def meet(self, conn, _):
        self.serve(conn)

    def stop(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)     # wakes accept
        except OSError:
            pass
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
