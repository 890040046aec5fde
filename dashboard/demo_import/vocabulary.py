"""Look-ups of reference rows by the names that files use, read once for a whole file."""

from collections.abc import Iterator

from django.core.exceptions import ValidationError

from oegen.core.text import name_key
from oegen.imports import quote
from oegen.imports.tables.lookups import Lookups
from pipelines.choices import ON_HOLD
from pipelines.models import Stage, Technology
from pipelines.reference import DISCOVERY


class Vocabulary:
    """The technologies and stages, found by code, name or alias."""

    def __init__(self):
        lookups = Lookups()
        self._technology_names = lookups.rows(Technology)
        self._stage_names = lookups.rows(Stage)
        self.technologies = {one.pk: one for one in self._technology_names.values()}
        self.stages = {one.pk: one for one in self._stage_names.values()}
        self.discovery = self._stage_names[DISCOVERY]

    def find_technology(self, name: str) -> Technology | None:
        return self._technology_names.get(name_key(name))

    def family(self, name: str) -> Iterator[str]:
        """The codes of the technology and its parents."""
        found = self.find_technology(name)
        while found:
            yield found.code
            found = self.technologies[found.parent_id] if found.parent_id else None

    def technology(self, name: str) -> Technology:
        """Raises ValidationError for an unknown name."""
        if found := self.find_technology(name):
            return found
        known = ", ".join(one.name for one in self.technologies.values())
        raise ValidationError(
            {"Technology": f"{quote(name)} is not a known technology. Known: {known}."}
        )

    def stage(self, status: str) -> Stage | None:
        """The stage of a status, None for "On hold". Raises ValidationError if unknown."""
        if name_key(status) == name_key(ON_HOLD):
            return None
        if found := self._stage_names.get(name_key(status)):
            return found
        known = ", ".join(one.name for one in self.stages.values())
        raise ValidationError(
            {"ProjectStatus": f"{quote(status)} is not a known status. Known: {known}, {ON_HOLD}."}
        )
