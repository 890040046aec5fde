"""The registers that every installation starts with."""

from typing import Any

from pipelines.registers.adapters.registry import ADAPTERS


def register_rows() -> list[dict[str, Any]]:
    return [
        {
            "code": adapter.code,
            "name": adapter.name,
            "order": order,
            "publisher": adapter.publisher,
            "country": adapter.country,
            "licence_name": adapter.licence_name,
            "licence_url": adapter.licence_url,
            "attribution": adapter.attribution,
            "changes_note": adapter.changes_note,
            "index_url": adapter.index_url,
            "adapter": adapter.code,
        }
        for order, adapter in enumerate(ADAPTERS.values(), start=1)
    ]
