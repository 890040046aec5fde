"""S3 on loopback, run by the Python of ``.venv-clouds``. Writes its port, and then serves.

One request at a time: whether a condition of a write holds is decided as one with the write.
"""

import sys

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app))
sys.stdout.write(f"{server.server_port}\n")
sys.stdout.flush()
server.serve_forever()
