"""A fake Slack: an HTTP server on loopback that stores requests and gives set responses."""

import json
import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeSlack:
    """``answers``, functions of the handler, are used one by one; after them the answer is "ok"."""

    def __init__(self):
        self.messages: list[dict] = []
        self.answers: list[Callable] = []
        #: Releases the handlers that wait in ``hang``.
        self.is_over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers["Content-Length"])
                outer.messages.append(json.loads(self.rfile.read(length)))
                answer = outer.answers.pop(0) if outer.answers else respond(200, "ok")
                answer(self)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.slack = self
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/T0/B0/secret"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self.is_over.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.messages]


def respond(status: int, body: str, **headers):
    def answer(handler):
        data = body.encode()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def hang(handler):
    """Give no response until the test is over."""
    handler.server.slack.is_over.wait(30)


def hang_up(handler):
    """Reset the connection instead of a response."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()


def garbage(handler):
    handler.wfile.write(b"\x00\xff this is no HTTP\r\n\r\n")
