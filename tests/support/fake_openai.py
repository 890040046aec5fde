"""A fake server with OpenAI's interface: HTTP on loopback that stores requests and plays answers.

::

    with FakeOpenAI() as server:
        server.plays(looks_up("metric", name="open-capacity"), says("Open capacity is {f1}."))

Each request takes the next of what it plays; after the last, that one again.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler

from tests.support.loopback import LoopbackServer, QuietHandler

Play = Callable[[BaseHTTPRequestHandler], None]


class FakeOpenAI(LoopbackServer):
    def __init__(self):
        self.requests: list[dict] = []
        self.keys: list[str] = []
        self._plays: list[Play] = []
        outer = self

        class Handler(QuietHandler):
            def do_POST(self):
                length = int(self.headers["Content-Length"])
                outer.requests.append(json.loads(self.rfile.read(length)))
                outer.keys.append(self.headers["Authorization"])
                play = outer._plays.pop(0) if len(outer._plays) > 1 else outer._plays[0]
                # The site may have stopped listening.
                with suppress(BrokenPipeError, ConnectionResetError):
                    play(self)

        super().__init__(Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def plays(self, *plays: Play) -> None:
        self._plays = [*plays]
        self.requests.clear()

    @property
    def results(self) -> list[dict]:
        """What the lookups of the last request gave."""
        messages = self.requests[-1]["messages"]
        return [json.loads(one["content"]) for one in messages if one["role"] == "tool"]


def says(text: str, *, pieces: int = 3, finish: str = "stop", tokens: int = 100) -> Play:
    """A streamed answer, in pieces of so many characters."""
    deltas = [{"content": text[at : at + pieces]} for at in range(0, len(text), pieces)]
    return _streams([{"role": "assistant", "content": ""}, *deltas], finish, tokens)


def looks_up(name: str, /, **arguments) -> Play:
    return calls((name, json.dumps(arguments)))


def calls(*pairs: tuple[str, str]) -> Play:
    """Tool calls with their arguments as text, each in two pieces."""
    deltas = []
    for index, (name, text) in enumerate(pairs):
        head = {"name": name, "arguments": ""}
        deltas.append(
            {"tool_calls": [{"index": index, "id": f"call-{index}", "type": "function",
                             "function": head}]}
        )  # fmt: skip
        for part in (text[:5], text[5:]):
            deltas.append({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    return _streams(deltas, "tool_calls", 100)


def breaks_off(text: str) -> Play:
    """The connection ends after the text, without an end of the answer."""
    return _streams([{"content": text}], None, 0)


def fails(status: int, message: str = "It failed.") -> Play:
    def play(handler):
        _respond(handler, status, json.dumps({"error": {"message": message}}), "application/json")

    return play


def hangs(handler) -> None:
    """Accepts the request and never answers."""
    handler.server.owner.is_over.wait(30)


def drips(handler) -> None:
    """Sends a comment now and then, which keeps the connection alive, and never a word."""
    _begin(handler)
    while not handler.server.owner.is_over.wait(0.05):
        handler.wfile.write(b": still there\n\n")
        handler.wfile.flush()


def garbage(handler) -> None:
    _begin(handler)
    handler.wfile.write(b"data: {not json\n\n")


def _streams(deltas: list[dict], finish: str | None, tokens: int) -> Play:
    def play(handler):
        _begin(handler)
        for delta in deltas:
            _send(handler, {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        if finish is None:
            return
        _send(handler, {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
        usage = {"prompt_tokens": tokens, "completion_tokens": tokens, "total_tokens": 2 * tokens}
        _send(handler, {"choices": [], "usage": usage})
        handler.wfile.write(b"data: [DONE]\n\n")

    return play


def _begin(handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.end_headers()
    handler.wfile.flush()


def _send(handler, values: dict) -> None:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "fake"}
    handler.wfile.write(f"data: {json.dumps(chunk | values)}\n\n".encode())
    handler.wfile.flush()


def _respond(handler, status: int, body: str, content_type: str) -> None:
    data = body.encode()
    handler.send_response(status)
    handler.send_header("Content-Type", content_type)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)
