"""A proxy on loopback that adds an access token, for programs that can't send one."""

import http.client
from urllib.parse import urlsplit

from tests.support.loopback import LoopbackServer, QuietHandler


class TokenProxy(LoopbackServer):
    """Passes every request on to the site at ``url``, with its headers as they are."""

    def __init__(self, url: str, secret: str):
        target = urlsplit(url)

        class Handler(QuietHandler):
            protocol_version = "HTTP/1.1"

            def _pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {**dict(self.headers.items()), "Authorization": f"Bearer {secret}"}
                headers["Connection"] = "close"
                connection = http.client.HTTPConnection(target.hostname, target.port, timeout=30)
                connection.putrequest(
                    self.command, self.path, skip_host=True, skip_accept_encoding=True
                )
                for name, value in headers.items():
                    connection.putheader(name, value)
                connection.endheaders(body)
                answer = connection.getresponse()
                data = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                connection.close()

            do_GET = do_POST = do_DELETE = do_OPTIONS = _pass_on

        super().__init__(Handler)
        self.origin = f"http://localhost:{self.server.server_port}"
