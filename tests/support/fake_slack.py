"""A fake Slack: an HTTP server on loopback that stores requests and gives set responses."""

import json
import socket
import struct
from collections.abc import Callable

from tests.support.loopback import LoopbackServer, QuietHandler


class FakeSlack(LoopbackServer):
    """``answers``, functions of the handler, are used one by one; after them the answer is "ok"."""

    def __init__(self):
        self.messages: list[dict] = []
        self.answers: list[Callable] = []
        outer = self

        class Handler(QuietHandler):
            def do_POST(self):
                length = int(self.headers["Content-Length"])
                outer.messages.append(json.loads(self.rfile.read(length)))
                answer = outer.answers.pop(0) if outer.answers else respond(200, "ok")
                answer(self)

        super().__init__(Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/T0/B0/secret"

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
    handler.server.owner.is_over.wait(30)


def hang_up(handler):
    """Reset the connection instead of a response."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()


def garbage(handler):
    handler.wfile.write(b"\x00\xff this is no HTTP\r\n\r\n")
