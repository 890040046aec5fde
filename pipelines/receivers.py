"""Signal receivers; they run in the transaction of the write."""

from django.dispatch import receiver

from oegen.audit import change_set_closing, rows_written
from pipelines.facts.services import refresh_facts_of
from pipelines.models import Pipeline
from pipelines.services import record_stage_transitions


@receiver(rows_written, sender=Pipeline, dispatch_uid="pipelines.transitions")
def _record_transitions(sender, instances, **kwargs) -> None:
    """Write a StageTransition for every change of stage, hold or outcome."""
    record_stage_transitions(instances)


@receiver(change_set_closing, dispatch_uid="pipelines.facts")
def _refresh_facts(sender, change_set, **kwargs) -> None:
    refresh_facts_of(change_set)
