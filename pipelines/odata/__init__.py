"""The entity sets of this package."""

from pipelines.odata import open_capacity, progress, records

__all__ = ["open_capacity", "progress", "records"]
