from oegen.people.models.access import AccountRecord, GroupRecord
from oegen.people.models.attempts import AttemptCount
from oegen.people.models.security import FailureRun, SecurityAddress, SecurityEvent
from oegen.people.models.user import User

__all__ = [
    "AccountRecord",
    "AttemptCount",
    "FailureRun",
    "GroupRecord",
    "SecurityAddress",
    "SecurityEvent",
    "User",
]
