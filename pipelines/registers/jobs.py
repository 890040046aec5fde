"""The jobs that fetch the registers, and match them with our records."""

from __future__ import annotations

from datetime import timedelta

from oegen import audit, jobs
from oegen.core.outbound import OutboundError
from oegen.imports.tables.reading import UnreadableFileError
from pipelines.registers.editions.fetching import NoEditionError, fetch_newest
from pipelines.registers.models import Register
from pipelines.registers.proposing.asking import MATCH_REGISTERS
from pipelines.registers.proposing.running import propose_all

#: How long to wait before a publisher that could not be reached is asked again.
_AFTER = timedelta(hours=1)


@jobs.job_kind(
    "fetch-registers",
    "Fetch public registers",
    queue=jobs.OUTBOUND,
    max_attempts=3,
    is_schedulable=True,
)
def fetch_registers(context: jobs.Run) -> str:
    """Fetch the newest edition of each register with an index address, one change set each. What
    is here already is left alone, so another attempt does what this one could not."""
    registers = list(Register.objects.active().exclude(index_url=""))
    lines, unreached = [], []
    for done, register in enumerate(registers):
        context.report(done, len(registers), register.name)
        try:
            found = fetch_newest(register, source=audit.Source.CODE, person=context.job.person)
        except OutboundError as error:
            unreached.append(f"{register}: {error}")
        except (NoEditionError, UnreadableFileError) as error:
            lines.append(str(error))
        else:
            lines.append(found.message)
    if unreached:
        raise jobs.TryAgainError(" ".join([*unreached, *lines]), after=_AFTER)
    return " ".join(lines) or "No register has an index address."


@jobs.job_kind(
    MATCH_REGISTERS,
    "Match public registers",
    queue=jobs.LONG,
    max_attempts=2,
    is_schedulable=True,
)
def match_registers(context: jobs.Run) -> str:
    """Write the proposals anew, of what the registers and our records say now; those of projects
    that need no person are accepted in one change set."""
    return propose_all(report=context.report, finish=context.finish).message
