from oegen.models.alert import Alert, AlertPreference, AlertRule, Channel
from oegen.models.attempts import AttemptCount
from oegen.models.audited import AuditedModel, ReferenceModel
from oegen.models.changeset import ChangeSet, HistoryRow
from oegen.models.comment import Comment
from oegen.models.heartbeat import Heartbeat
from oegen.models.keys import RecordKey
from oegen.models.notice import Notice
from oegen.models.preferences import ListPreference, SavedView, SearchDocument
from oegen.models.user import User

__all__ = [
    "Alert",
    "AlertPreference",
    "AlertRule",
    "AttemptCount",
    "AuditedModel",
    "ChangeSet",
    "Channel",
    "Comment",
    "Heartbeat",
    "HistoryRow",
    "ListPreference",
    "Notice",
    "RecordKey",
    "ReferenceModel",
    "SavedView",
    "SearchDocument",
    "User",
]
