"""An HTTP server on loopback, in threads of the test's own process."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class QuietHandler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass


class LoopbackServer:
    """Serves inside the ``with`` block. Handlers reach it as ``self.server.owner``."""

    def __init__(self, handler: type[QuietHandler]):
        #: Releases the handlers that wait.
        self.is_over = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.owner = self
        self.server.daemon_threads = True
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self.is_over.set()
        self.server.shutdown()
        self.server.server_close()
