"""The adapter of each register."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pipelines.registers.adapters.base import Adapter
from pipelines.registers.adapters.declared import read_declared
from pipelines.registers.adapters.links import find_dated_table
from pipelines.registers.adapters.mastr import MASTR
from pipelines.registers.adapters.repd import REPD
from pipelines.registers.adapters.tec import TEC

if TYPE_CHECKING:
    from pipelines.registers.models import Register

#: The registers whose files are read by code, in the order of lists.
ADAPTERS = {adapter.code: adapter for adapter in (REPD, TEC, MASTR)}


def adapter_of(register: Register) -> Adapter:
    """The adapter with the facts that the register has now, which people may have corrected."""
    known = ADAPTERS.get(register.adapter)
    read = partial(read_declared, mapping=register.mapping, country=str(register.country))
    return Adapter(
        code=register.code,
        name=register.name,
        publisher=register.publisher,
        country=str(register.country),
        licence_name=register.licence_name,
        licence_url=register.licence_url,
        attribution=register.attribution,
        changes_note=register.changes_note,
        index_url=register.index_url,
        read=known.read if known else read,
        find_newest=known.find_newest if known else find_dated_table,
        by_hand=known.by_hand if known else "",
    )
