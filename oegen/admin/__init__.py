from oegen.admin import alerts, people  # noqa: F401
from oegen.admin.options import AuditedAdmin, LinkInline, ReferenceAdmin

__all__ = ["AuditedAdmin", "LinkInline", "ReferenceAdmin"]
