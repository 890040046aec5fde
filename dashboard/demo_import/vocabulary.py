"""Look-ups of reference rows by the names that files use, read once for a whole file."""

from collections.abc import Iterator

from django.core.exceptions import ValidationError

from oegen.core.text import name_key
from oegen.imports import quote
from pipelines.choices import ON_HOLD
from pipelines.models import Stage, Technology
from pipelines.reference import DISCOVERY


class Vocabulary:
    """The technologies and stages, found by code, name or alias."""

    def __init__(self):
        self.technologies = {one.pk: one for one in Technology.objects.all()}
        self.stages = {one.pk: one for one in Stage.objects.all()}
        self._technology_names: dict[str, Technology] = {}
        for names in (lambda one: [one.code, one.name], lambda one: one.alias_list):
            for one in self.technologies.values():
                for name in names(one):
                    self._technology_names.setdefault(name_key(name), one)
        self._stage_names: dict[str, Stage] = {}
        for one in self.stages.values():
            self._stage_names[name_key(one.code)] = self._stage_names[name_key(one.name)] = one
        self.discovery = self._stage_names[DISCOVERY]

    def find_technology(self, name: str) -> Technology | None:
        return self._technology_names.get(name_key(name))

    def family(self, name: str) -> Iterator[str]:
        """The codes of the technology and its parents."""
        found = self.find_technology(name)
        while found:
            yield found.code
            found = self.technologies.get(found.parent_id)

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
