"""Delta tables at the destination, each written exactly once for each change set.

A commit carries the number of the newest change set that it contains, as the version of an
application's transaction. Who writes reads that number first and skips what is in; of two who began
at the same number Delta refuses the second, which then reads again. A process that is killed leaves
no commit, but files that nothing refers to, which ``vacuum`` removes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeGuard, cast
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import (
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from pyarrow.parquet import ParquetFile

from dashboard.warehouse import WarehouseError
from dashboard.warehouse.feeding import feed
from dashboard.warehouse.tables import BATCH, Table

#: What a commit's number is filed under.
APPLICATION = "oegen"

#: In a table of days, up to which change set its days were looked at.
SEEN = "oegen-seen"

#: The protocol that the tables keep, for readers such as Power BI and older Sparks.
READER_VERSION, WRITER_VERSION = 1, 4

#: Who reads and writes holds a row group, and who writes also a file, in memory.
ROW_GROUP, FILE_BYTES = 8_192, 32 * 2**20

#: How much is read of a file at a time.
READ_BYTES = 2**20

#: How often a write that lost against another is tried again.
ATTEMPTS = 20

_CONFIGURATION = {
    # Both would need a newer protocol.
    "delta.enableDeletionVectors": "false",
    "delta.columnMapping.mode": "none",
    "delta.logRetentionDuration": "interval 30 days",
    "delta.deletedFileRetentionDuration": "interval 7 days",
}

#: How files are written.
WRITER = WriterProperties(compression="SNAPPY", max_row_group_size=ROW_GROUP)

#: What names of environment variables whose values are secrets contain.
_SECRETS = re.compile(r"(KEY|SECRET|TOKEN|PASSWORD|SIG)", re.IGNORECASE)

Batches = Iterable[pa.RecordBatch]


@dataclass(frozen=True)
class Destination:
    """A folder or an address of S3 or Azure. Credentials are in the environment."""

    url: str

    @classmethod
    def parse(cls, text: str) -> Destination:
        """Raises WarehouseError for an address that can't be written to, or holds a password."""
        parts = urlsplit(text)
        if not text:
            raise WarehouseError(
                "No destination: set WAREHOUSE, or give --to a folder, s3://bucket/folder or "
                "abfss://container@account.dfs.core.windows.net/folder."
            )
        if "://" not in text:
            return cls(str(Path(text).absolute()))
        if parts.password is not None or parts.query:
            raise WarehouseError(
                "The destination holds a password: set the AWS_ or AZURE_ variables instead, and "
                "leave it out of the address."
            )
        if parts.scheme not in ("s3", "abfss") or not parts.netloc:
            raise WarehouseError(
                f"“{parts.scheme}://” is no destination: give a folder, s3://bucket/folder or "
                "abfss://container@account.dfs.core.windows.net/folder."
            )
        return cls(text.rstrip("/"))

    def of(self, name: str) -> str:
        return f"{self.url}/{name}"


def without_secrets(error: Exception) -> str:
    """The text of an error of the storage, without what may be credentials."""
    text = re.sub(r"\?[^\s\"']+", "?…", str(error))
    for name, value in os.environ.items():
        if len(value) >= 8 and _SECRETS.search(name):
            text = text.replace(value, "…")
    return text


def open_table(destination: Destination, table: Table) -> DeltaTable | None:
    """The table as it is now; None if there is none. Raises WarehouseError."""
    try:
        found = DeltaTable(destination.of(table.name))
    except TableNotFoundError:
        return None
    except (DeltaError, OSError) as error:
        raise WarehouseError(
            f"The table {table.name} can't be read: {without_secrets(error)}"
        ) from error
    protocol = found.protocol()
    if protocol.min_reader_version > READER_VERSION or protocol.min_writer_version > WRITER_VERSION:
        raise WarehouseError(
            f"The table {table.name} was changed to protocol ({protocol.min_reader_version}, "
            f"{protocol.min_writer_version}) by another program. This one keeps ({READER_VERSION}, "
            f"{WRITER_VERSION}): remove the table, and it is written anew."
        )
    return found


def position(table: DeltaTable | None) -> int:
    """The number of the newest change set that the table contains, 0 if none."""
    return (table.transaction_version(APPLICATION) or 0) if table else 0


def is_written(table: DeltaTable | None) -> TypeGuard[DeltaTable]:
    """Whether the table was ever written to the end."""
    return table is not None and table.transaction_version(APPLICATION) is not None


@dataclass(frozen=True)
class Writer:
    """Writes tables up to the change set ``number``."""

    destination: Destination
    number: int

    def append(self, table: Table, batches_after: Callable[[int], Batches]) -> DeltaTable:
        """Add what ``batches_after`` gives for the position of the table."""
        return self._write(table, lambda found: ("append", batches_after(position(found))))

    def overwrite(self, table: Table, batches: Callable[[], Batches]) -> DeltaTable:
        """Replace the table, also if it contains the change set."""
        return self._write(table, lambda found: ("overwrite", batches()), anew=True)

    def replace(
        self,
        table: Table,
        key: str,
        changes_after: Callable[[int], tuple[set[str], Batches] | None],
        everything: Callable[[], Batches],
    ) -> DeltaTable:
        """Replace the rows whose ``key`` is among those that ``changes_after`` gives for the
        position of the table, by these batches; None: all rows. Other rows are copied as they are,
        batch by batch."""

        def plan(found: DeltaTable) -> tuple[str, Batches]:
            changes = changes_after(position(found)) if is_written(found) else None
            if changes is None or not _has_columns(found, table):
                return "overwrite", everything()
            keys, batches = changes
            return "overwrite", _replaced(found, table, key, keys, batches)

        return self._write(table, plan)

    def _write(
        self,
        table: Table,
        plan: Callable[[DeltaTable], tuple[str, Batches]],
        *,
        anew: bool = False,
    ) -> DeltaTable:
        for _ in range(ATTEMPTS):
            try:
                found = open_table(self.destination, table) or self._create(table)
                if self._has(found) and not anew:
                    return found
                mode, batches = plan(found)
                self._commit(found, table, mode, batches)
            except CommitFailedError:
                continue  # Another one was first: read what it wrote.
            except (DeltaError, OSError) as error:
                raise WarehouseError(
                    f"The table {table.name} can't be written: {without_secrets(error)}"
                ) from error
            return DeltaTable(self.destination.of(table.name))
        raise WarehouseError(
            f"The table {table.name} is being written by others all the time. Try again later."
        )

    def _has(self, found: DeltaTable) -> bool:
        """Whether what is to be written is in the table."""
        return is_written(found) and position(found) >= self.number

    def _transactions(self) -> list[Transaction]:
        return [Transaction(APPLICATION, self.number)]

    def _create(self, table: Table) -> DeltaTable:
        url = self.destination.of(table.name)
        if "://" not in url:
            Path(url).mkdir(parents=True, exist_ok=True)
        return DeltaTable.create(
            url,
            schema=table.schema,
            mode="ignore",
            name=table.name,
            description=table.comment,
            configuration=cast("Any", _CONFIGURATION),
        )

    def _commit(self, found: DeltaTable, table: Table, mode: str, batches: Batches) -> None:
        def write(reader: pa.RecordBatchReader) -> None:
            write_deltalake(
                found,
                reader,
                mode=cast("Any", mode),
                # Columns that a table lacks are added; those that files lack are null.
                schema_mode="merge" if mode == "append" else "overwrite",
                commit_properties=CommitProperties(
                    app_transactions=self._transactions(), max_commit_retries=0
                ),
                post_commithook_properties=PostCommitHookProperties(create_checkpoint=True),
                writer_properties=WRITER,
                target_file_size=FILE_BYTES,
            )

        feed(table.schema, batches, write)


class OvertakenError(Exception):
    """Another process wrote the table meanwhile."""


@dataclass(frozen=True)
class DaysWriter(Writer):
    """Writes the commit ``number`` of a table of days, whose days were looked at up to the change
    set ``seen``; raises OvertakenError if the last one has not the number before."""

    seen: int

    def next(self) -> DaysWriter:
        return replace(self, number=self.number + 1)

    def _has(self, found: DeltaTable) -> bool:
        if position(found) != self.number - 1:
            raise OvertakenError
        return False

    def _transactions(self) -> list[Transaction]:
        return [*super()._transactions(), Transaction(SEEN, self.seen)]


def _has_columns(found: DeltaTable, table: Table) -> bool:
    return {field.name for field in found.schema().fields} == set(table.schema.names)


def _replaced(
    found: DeltaTable, table: Table, key: str, keys: set[str], batches: Batches
) -> Iterator[pa.RecordBatch]:
    gone = pa.array(sorted(keys), pa.string())
    yield from kept_rows(found, table, key, gone)
    yield from batches


def select(
    found: DeltaTable, table: Table, *columns: str, number: int | None = None
) -> list[dict[str, Any]]:
    """These columns of the table, all rows or those with this ``number`` in the first column."""
    schema = pa.schema([table.schema.field(column) for column in columns])
    if number is None:
        return [row for some in _row_groups(found, schema) for row in some.to_pylist()]
    return [
        row
        for some in _row_groups(found, schema, pc.field(columns[0]) == number)
        for row in some.filter(pc.equal(some[columns[0]], number)).to_pylist()
    ]


def kept_rows(found: DeltaTable, table: Table, column: str, gone: pa.Array) -> Batches:
    """The rows of the table, but for those with such a value in the column, a few at a time."""
    for some in _row_groups(found, table.schema):
        kept = some.filter(pc.invert(pc.is_in(some[column], value_set=gone)))
        yield from kept.to_batches(max_chunksize=BATCH)


def _row_groups(
    found: DeltaTable, schema: pa.Schema, within: pc.Expression | None = None
) -> Iterator[pa.Table]:
    """These columns, of one row group after the other, of files that may have rows ``within`` the
    condition; what a file lacks is null.

    Neither by Arrow's scanner, which reads many row groups ahead, and whose threads may still let
    go of Python's files when a short process ends, which aborts it; nor by SQL, whose engine maps
    code that writing does without.
    """
    for part in found.to_pyarrow_dataset().get_fragments(within):
        with (
            part.filesystem.open_input_file(part.path) as source,
            # Its columns are many small reads, each of which would be a request of a cloud.
            ParquetFile(BufferedReader(source, READ_BYTES), pre_buffer=False) as file,
        ):
            for number in range(file.num_row_groups):
                stored = file.read_row_group(number, columns=schema.names, use_threads=False)
                yield pa.table([_column(stored, field) for field in schema], schema=schema)


def _column(rows: pa.Table, field: pa.Field) -> pa.ChunkedArray | pa.Array:
    if field.name in rows.column_names:
        return rows[field.name].cast(field.type)
    return pa.nulls(rows.num_rows, field.type)


def rows_of(table: DeltaTable) -> int:
    """The number of rows, from the log alone."""
    actions = pa.table(table.get_add_actions(flatten=True))
    return int(pc.sum(actions["num_records"]).as_py() or 0)
