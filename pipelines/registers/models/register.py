from __future__ import annotations

from typing import Any

from django.db import models

from oegen.core.constraints import unique_name
from oegen.core.fields import CountryField, LineField, ProseField, country_constraint
from oegen.models import ReferenceModel

_ABBREVIATIONS = {"repd": "REPD", "tec": "TEC", "mastr": "MaStR"}


class Register(ReferenceModel):
    """A public register of projects: who publishes it, under which licence, and how it is read.

    ``adapter`` is the code of one of our adapters, or “declared”: then ``mapping`` says how the
    columns are read, as the bulk import keeps it.
    """

    PROTECTED_CODES = frozenset({"repd", "tec", "mastr"})

    publisher = LineField(max_length=120)
    country = CountryField(help_text="Where its projects are, unless a row says otherwise.")
    licence_name = LineField("licence", max_length=120)
    licence_url = models.URLField("address of the licence", max_length=300)
    attribution = LineField(max_length=400, help_text="As the licence asks for it.")
    changes_note = ProseField(
        "note of changes", blank=True, help_text="What was changed of the data, for readers."
    )
    index_url = models.URLField(
        "index address",
        max_length=300,
        blank=True,
        help_text="Where the publisher says which edition is the newest. Empty: files are given.",
    )
    adapter = LineField(max_length=40, default="declared", editable=False)
    mapping: models.JSONField[Any, Any] = models.JSONField(
        default=dict, blank=True, help_text="How columns are read, of a register without code."
    )

    SHOW_IN_FEED = False

    @property
    def short_name(self) -> str:
        """As people call it: “REPD”."""
        return _ABBREVIATIONS.get(self.code, self.name)

    class Meta(ReferenceModel.Meta):
        verbose_name = "public register"
        constraints = [
            unique_name("register"),
            unique_name("register", "code"),
            country_constraint("register"),
        ]
