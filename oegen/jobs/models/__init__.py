from oegen.jobs.models.job import Job, JobQuerySet, State
from oegen.jobs.models.schedule import Frequency, Schedule
from oegen.jobs.models.worker import Worker

__all__ = ["Frequency", "Job", "JobQuerySet", "Schedule", "State", "Worker"]
