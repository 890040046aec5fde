"""What records are known by, as models list it in ``record_keys``. oegen.search.keys keeps a table
of it and compares."""

from __future__ import annotations

from dataclasses import dataclass, field

from oegen.core.text import likeness_key, name_key

NAME, ALIAS = "name", "alias"


@dataclass(frozen=True)
class Key:
    """What a record is known by. ``message`` says that another record has it, where none may;
    ``%(other)s`` in it is that record. ``field_name`` is where a form shows it."""

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
