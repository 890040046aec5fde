from django.db.models import Count

from oegen.querysets import AuditedQuerySet


class CounterpartyQuerySet(AuditedQuerySet):
    def current(self):
        """Neither archived nor stand-ins that an import made for an unknown reference."""
        return self.filter(archived_at=None, is_placeholder=False)

    def with_contact_count(self):
        return self.annotate(contact_count=Count("contact_links__contact", distinct=True))
