from oegen.admin import alerts, imports, jobs, people, security, tokens, webhooks  # noqa: F401
from oegen.admin.options import AuditedAdmin, LinkInline
from oegen.admin.reference import ReferenceAdmin

__all__ = ["AuditedAdmin", "LinkInline", "ReferenceAdmin"]
