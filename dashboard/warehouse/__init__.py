"""The warehouse: Delta tables of the history, of what is current and of the facts, outside the
database, for engines such as Databricks, Spark, DuckDB and Power BI.

``tables.py`` says which tables there are, ``syncing.py`` brings them up to date, ``checking.py``
compares figures from them with the product's, ``running.py`` keeps what both found for ``page.py``,
``sql/`` has queries for any day. Modules that need
the packages of requirements/warehouse.txt are imported through ``installed``.
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

#: The packages of requirements/warehouse.txt that are imported.
PACKAGES = ("deltalake", "pyarrow")


#: The allocators of the packages keep what was freed, for each thread, and a writer queues ten
#: batches. They read these when they are imported.
_ALLOCATORS = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "_RJEM_MALLOC_CONF": "narenas:1,tcache:false,dirty_decay_ms:100,muzzy_decay_ms:0",
    "DELTARS_WRITER_BATCH_CHANNEL_SIZE": "1",
}


class WarehouseError(Exception):
    """What keeps the warehouse from being written or read. The text is shown to people."""


def require_packages() -> None:
    """Raise WarehouseError if the optional packages are not installed."""
    if any(find_spec(name) is None for name in PACKAGES):
        raise WarehouseError(
            "The packages of the warehouse are not installed. Install them with "
            "pip install --no-deps --require-hashes -r requirements/warehouse.txt."
        )


def installed(module: str) -> ModuleType:
    """This module of the package, such as ``syncing``.

    Raises WarehouseError if the optional packages are not installed.
    """
    require_packages()
    for name, value in _ALLOCATORS.items():
        os.environ.setdefault(name, value)
    return import_module(f"dashboard.warehouse.{module}")
