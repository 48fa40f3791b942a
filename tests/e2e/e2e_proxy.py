"""A proxy between a program and ts-local that counts requests and calls back at one of them.

So a kill -9 falls at a chosen place: just before the n-th request reaches the service, or after the service has
carried it out and before the program hears of it.
"""

import socket
import threading


class Listener:
    """A TCP server on 127.0.0.1, a thread per connection; whoever derives from it says in _serve(client) what it does."""

    def __init__(self):
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()


class CountingProxy(Listener):
    """Forwards bytes unchanged; `hook(n, phase, request_line)` is called with phase "before" and "after" each request.

    Where the hook returns False the connection is dropped there.
    """

    def __init__(self, upstream_port, hook=None):
        self.upstream_port = upstream_port
        self.hook = hook or (lambda n, phase, line: True)
        self.requests = []  # request lines with the target operation, in order of arrival
        super().__init__()

    def _serve(self, client):
        try:
            with client, socket.create_connection(("127.0.0.1", self.upstream_port)) as upstream:
                for side in (client, upstream):
                    side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._serve_connection(client, client.makefile("rb"), upstream, upstream.makefile("rb"))
        except OSError:
            pass  # one side has gone: the program was killed, or ts-local closed the connection

    def _serve_connection(self, client, from_client, upstream, from_upstream):
        while True:
            head, body = read_message(from_client)
            if not head:
                return
            line = describe(head)
            with self.lock:
                self.requests.append(line)
                n = len(self.requests)
            if self.hook(n, "before", line) is False:
                return
            upstream.sendall(head + body)
            head, body = read_message(from_upstream, no_body=line.startswith("HEAD "))
            if not head or self.hook(n, "after", line) is False:
                return
            client.sendall(head + body)


def describe(head):
    """Method and target, and the operation where a header names it."""
    lines = head.decode("latin-1").split("\r\n")
    text = lines[0].rsplit(" ", 1)[0]
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "x-amz-target":
            text += " " + value.strip()
    return text


def read_message(stream, no_body=False):
    """One request or answer: its head and its whole body, byte for byte; (b"", b"") at the end of the stream."""
    head, length, chunked = b"", 0, False
    while True:
        line = stream.readline()
        if not line:
            return b"", b""
        head += line
        name, _, value = line.decode("latin-1").partition(":")
        if name.lower() == "content-length":
            length = int(value)
        elif name.lower() == "transfer-encoding":
            chunked = "chunked" in value.lower()
        if line == b"\r\n":
            break
    if no_body:
        return head, b""
    if not chunked:
        return head, stream.read(length)
    body = b""
    while True:
        line = stream.readline()
        size = int(line.split(b";")[0], 16)
        body += line + stream.read(size + 2)
        if size == 0:
            return head, body
