"""The jobs that fetch registers, read uploaded editions, and match them with our records."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from oegen import audit, jobs
from oegen.core.outbound import OutboundError
from oegen.imports.tables.reading import UnreadableFileError
from pipelines.registers.editions.fetching import NoEditionError, fetch_newest
from pipelines.registers.editions.uploads import INGEST, ingest_upload
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


@jobs.job_kind(INGEST, "Read an edition of a register", queue=jobs.LONG, max_attempts=3)
def ingest_edition(context: jobs.Run, register: str, upload: str, name: str, on: str) -> str:
    """Write the uploaded file as the edition of that day: whole, with the job's end, or not at all,
    so another attempt does no harm."""
    found = Register.objects.filter(code=register).first()
    if found is None:
        raise jobs.JobFailedError(f"There is no register “{register}” any more.")
    return ingest_upload(
        context, register=found, upload=UUID(upload), name=name, on=date.fromisoformat(on)
    )


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
