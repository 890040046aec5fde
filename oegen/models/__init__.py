from oegen.models.access import AccountRecord, GroupRecord
from oegen.models.alert import Alert, AlertPreference, AlertRule, Channel
from oegen.models.attempts import AttemptCount
from oegen.models.audited import AuditedModel, ReferenceModel
from oegen.models.changeset import ChangeSet, HistoryRow
from oegen.models.comment import Comment
from oegen.models.heartbeat import Heartbeat
from oegen.models.integrity import Acknowledgement, IntegrityCheck, KeptAnchor
from oegen.models.keys import RecordKey, SortKey
from oegen.models.notice import Notice
from oegen.models.preferences import ListPreference, SavedView, SearchDocument
from oegen.models.security import FailureRun, SecurityAddress, SecurityEvent
from oegen.models.user import User

__all__ = [
    "AccountRecord",
    "Acknowledgement",
    "Alert",
    "AlertPreference",
    "AlertRule",
    "AttemptCount",
    "AuditedModel",
    "ChangeSet",
    "Channel",
    "Comment",
    "FailureRun",
    "GroupRecord",
    "Heartbeat",
    "HistoryRow",
    "IntegrityCheck",
    "KeptAnchor",
    "ListPreference",
    "Notice",
    "RecordKey",
    "ReferenceModel",
    "SavedView",
    "SearchDocument",
    "SecurityAddress",
    "SecurityEvent",
    "SortKey",
    "User",
]
