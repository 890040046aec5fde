"""Handing batches to a writer that reads them in threads of its own.

Rows come from the database connection of the calling thread, and with it from its snapshot; so
they are read there, a few batches ahead of the writer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Full, Queue

import pyarrow as pa

#: The number of batches that wait for the writer.
AHEAD = 2

#: How often it is looked at whether a writer that takes no batches failed, in seconds.
_PATIENCE = 0.2


class _StoppedError(Exception):
    """The batches ended with an error."""


def feed(
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    write: Callable[[pa.RecordBatchReader], object],
) -> None:
    """Call ``write`` in a thread with a reader of the batches, which are made in this one. Raises
    what either raises; ``write`` fails where the batches do."""
    waiting: Queue[pa.RecordBatch | _StoppedError | None] = Queue(AHEAD)

    def read() -> Iterator[pa.RecordBatch]:
        while (batch := waiting.get()) is not None:
            if isinstance(batch, _StoppedError):
                raise batch
            yield batch

    with ThreadPoolExecutor(1) as threads:
        written = threads.submit(write, pa.RecordBatchReader.from_batches(schema, read()))
        try:
            for batch in batches:
                if not _hand_over(waiting, batch, written):
                    break
        except BaseException:
            _hand_over(waiting, _StoppedError(), written)
            raise
        _hand_over(waiting, None, written)
        written.result()


def _hand_over(
    waiting: Queue[pa.RecordBatch | _StoppedError | None],
    item: pa.RecordBatch | _StoppedError | None,
    written: Future[object],
) -> bool:
    """Put the item into the queue; False: the writer has ended."""
    while not written.done():
        try:
            waiting.put(item, timeout=_PATIENCE)
        except Full:
            continue
        return True
    return False
