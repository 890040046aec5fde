from oegen.admin import alerts, jobs, people, security  # noqa: F401
from oegen.admin.options import AuditedAdmin, LinkInline
from oegen.admin.reference import ReferenceAdmin

__all__ = ["AuditedAdmin", "LinkInline", "ReferenceAdmin"]
