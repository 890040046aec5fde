"""The names and numbers that identify a record, as models return them from ``record_keys``.
oegen.search.keys stores them and finds duplicates."""

from __future__ import annotations

from dataclasses import dataclass, field

from oegen.core.text import likeness_key, name_key

NAME, ALIAS = "name", "alias"


@dataclass(frozen=True)
class Key:
    """A name or number of a record. A key with a ``message`` must be unique: the message is the
    error, in which ``%(other)s`` is the record that has the key, shown at ``field_name``."""

    kind: str
    key: str
    likeness: str = ""
    field_name: str = field(default="", compare=False)
    message: str = field(default="", compare=False)

    @classmethod
    def of_name(cls, kind: str, text: str, field_name: str = "", message: str = "") -> Key:
        return cls(kind, name_key(text), likeness_key(text), field_name, message)

    @property
    def is_unique(self) -> bool:
        return bool(self.message)
