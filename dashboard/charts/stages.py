"""Time in stage and results of each stage, as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dashboard.charts.parts import Cell, Link, Lists, percent
from dashboard.metrics.stages import Conversion, Stages, TimeInStage
from oegen.core.words import count, whole
from pipelines.stays import ENDED, ENOUGH, ENTERED, SOLD, THERE, UNDECIDED, WENT_ON

NOT_YET = "not yet known"


@dataclass(frozen=True)
class StageRow:
    name: str
    entered: Cell
    ongoing: Cell
    median: str
    p80: str
    share: str
    went_on: Cell
    sold: Cell
    ended: Cell
    undecided: Cell


def stage_rows(found: Stages, lists: Lists) -> list[StageRow]:
    """Empty if no pipeline ever entered a stage."""
    if not any(one.entered for one in found.conversion):
        return []
    return [
        _row(time, conversion, lists)
        for time, conversion in zip(found.time, found.conversion, strict=True)
    ]


def _row(time: TimeInStage, conversion: Conversion, lists: Lists) -> StageRow:
    def cell(result: str, number: int) -> Cell:
        link = result_link(conversion.stage.code, result, lists)
        return Cell(whole(number), replace(link, pipelines=number))

    if not conversion.entered:
        share = ""
    elif conversion.share is None:
        share = f"not enough history: {conversion.decided} of {ENOUGH} decided"
    else:
        share = f"{percent(conversion.share)} of {whole(conversion.decided)}"
    return StageRow(
        name=conversion.stage.name,
        entered=cell(ENTERED, conversion.entered),
        ongoing=cell(THERE, time.ongoing),
        median=_days(time.median_days, time.stays),
        p80=_days(time.p80_days, time.stays),
        share=share,
        went_on=cell(WENT_ON, conversion.went_on),
        sold=cell(SOLD, conversion.sold),
        ended=cell(ENDED, conversion.ended),
        undecided=cell(UNDECIDED, conversion.undecided),
    )


def result_link(stage: str, result: str, lists: Lists) -> Link:
    """The list of the projects with that result of the stage (pipelines.stays)."""
    return lists.pipelines(way=f"{stage}:{result}")


def _days(days: int | None, stays: int) -> str:
    if not stays:
        return ""
    return NOT_YET if days is None else count(days, "day")
