"""What pages read of all projects, computed when an edition is written, not by its first reader."""

from __future__ import annotations

from pipelines.registers.benchmarks import benchmarks_of
from pipelines.registers.filters import (
    country_choices,
    main_registers,
    region_choices,
    technology_choices,
)
from pipelines.registers.models import Register


def prepare_pages() -> None:
    main_registers()
    for choices in (technology_choices, country_choices, region_choices):
        choices()
    for register in Register.objects.active():
        benchmarks_of(register)
