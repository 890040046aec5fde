"""What pages read of all projects, computed when an edition is written, not by its first reader."""

from __future__ import annotations

from pipelines.registers.benchmarks import benchmarks_of
from pipelines.registers.filters import (
    MAIN,
    country_choices,
    in_main_registers,
    region_choices,
    technology_choices,
)
from pipelines.registers.market import kept_market
from pipelines.registers.models import Register, RegisterProject


def prepare_pages() -> None:
    main = RegisterProject.objects.present().order_by().filter(in_main_registers())
    kept_market(main, [("register", MAIN)])
    for choices in (technology_choices, country_choices, region_choices):
        choices()
    for register in Register.objects.active():
        benchmarks_of(register)
