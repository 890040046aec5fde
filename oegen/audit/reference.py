"""The base of reference tables: vocabularies that users can extend."""

from collections.abc import Iterator
from itertools import chain, count
from typing import Self

from django.db import models
from django.utils.text import slugify

from oegen.audit.audited import AuditedModel
from oegen.audit.querysets import AuditedQuerySet
from oegen.core.fields import LineField
from oegen.core.record_keys import NAME, Key


class ReferenceQuerySet(AuditedQuerySet):
    def active(self) -> Self:
        return self.filter(is_active=True)


class ReferenceModel(AuditedModel):
    """A row of a vocabulary that users can extend. Code refers to a row by its ``code``."""

    code = models.SlugField(
        max_length=40,
        help_text="Short name for imports and addresses: small letters, digits and hyphens.",
    )
    name = LineField(max_length=80)
    order = models.PositiveSmallIntegerField(default=0, help_text="Place in lists, lowest first.")
    is_active = models.BooleanField("active", default=True, help_text="Offered in forms.")

    # mypy takes it for an instance variable, because the model is abstract.
    objects = ReferenceQuerySet.as_manager()  # type: ignore[misc]

    #: Codes that the application relies on: their rows can be renamed, but not removed or recoded.
    PROTECTED_CODES: frozenset[str] = frozenset()

    class Meta:
        abstract = True
        ordering = ["order", "name"]

    def __str__(self) -> str:
        return str(self.name)

    HAS_KEYS = True

    @classmethod
    def is_vocabulary(cls) -> bool:
        return True

    def record_keys(self) -> Iterator[Key]:
        taken = f"There is already a {self._meta.verbose_name} called “%(other)s”."
        yield Key.of_name(NAME, self.name, "name", taken)

    def take_code(self) -> None:
        """Set a unique code, derived from the name, on a new row."""
        stem = slugify(self.name)[:36].rstrip("-") or str(self._meta.model_name)
        same_stem = type(self)._base_manager.filter(code__istartswith=stem)
        taken = {code.lower() for code in same_stem.values_list("code", flat=True)}
        codes = chain([stem], (f"{stem}-{number}" for number in count(2)))
        self.code = next(code for code in codes if code not in taken)

    @property
    def has_protected_code(self) -> bool:
        return self.code in self.PROTECTED_CODES
