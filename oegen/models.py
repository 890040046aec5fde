"""Every model of the application ``oegen``, re-exported from the package it belongs to."""

from oegen.alerts.models import Alert, AlertPreference, AlertRule, Channel, Notice
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet
from oegen.audit.history import HistoryRow
from oegen.audit.integrity.models import Acknowledgement, IntegrityCheck, KeptAnchor
from oegen.audit.reference import ReferenceModel
from oegen.pages.models import Heartbeat, ListPreference, SavedView
from oegen.people.models import (
    AccountRecord,
    AttemptCount,
    Comment,
    FailureRun,
    GroupRecord,
    SecurityAddress,
    SecurityEvent,
    User,
)
from oegen.search.models import RecordKey, SearchDocument, SortKey

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
