"""Re-exports all models of the application ``oegen`` from their packages."""

# The order of the imports is the order of the models in lists of record types.
# isort: off
from oegen.audit.audited import AuditedModel
from oegen.audit.reference import ReferenceModel
from oegen.audit.changesets import ChangeSet
from oegen.audit.history import HistoryRow
from oegen.people.models import (
    AccountRecord,
    AttemptCount,
    FailureRun,
    GroupRecord,
    SecurityAddress,
    SecurityEvent,
    User,
)
from oegen.jobs.models import Job, Schedule, Worker
from oegen.alerts.models import (
    Alert,
    AlertPreference,
    AlertRule,
    Channel,
    Notice,
    StandingCheck,
)
from oegen.people.comments import Comment
from oegen.audit.integrity.models import Acknowledgement, IntegrityCheck, KeptAnchor
from oegen.search.models import RecordKey, SearchDocument, SortKey
from oegen.imports.tables.models import ExternalReference, ImportMapping, TableImport
from oegen.api.rest.models import AnsweredRequest
from oegen.api.models import ApiToken
from oegen.api.webhooks.models import Webhook, WebhookDelivery
from oegen.pages.models import Heartbeat, HiddenView, ListPreference, SavedView

# isort: on

__all__ = [
    "AccountRecord",
    "Acknowledgement",
    "Alert",
    "AlertPreference",
    "AlertRule",
    "AnsweredRequest",
    "ApiToken",
    "AttemptCount",
    "AuditedModel",
    "ChangeSet",
    "Channel",
    "Comment",
    "ExternalReference",
    "FailureRun",
    "GroupRecord",
    "Heartbeat",
    "HiddenView",
    "HistoryRow",
    "ImportMapping",
    "IntegrityCheck",
    "Job",
    "KeptAnchor",
    "ListPreference",
    "Notice",
    "RecordKey",
    "ReferenceModel",
    "SavedView",
    "Schedule",
    "SearchDocument",
    "SecurityAddress",
    "SecurityEvent",
    "SortKey",
    "StandingCheck",
    "TableImport",
    "User",
    "Webhook",
    "WebhookDelivery",
    "Worker",
]
