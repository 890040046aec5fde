from django.db.models import Count, Q

from oegen.querysets import AuditedQuerySet


class CounterpartyQuerySet(AuditedQuerySet):
    def current(self):
        """Neither archived nor stand-ins that an import made for an unknown reference."""
        return self.filter(archived_at=None, is_placeholder=False)

    def with_contact_count(self):
        return self.annotate(contact_count=Count("contact_links__contact", distinct=True))

    def matching(self, text: str):
        """Every word of the text in the name or one of the other names."""
        found = self
        for word in text.split():
            found = found.filter(Q(name__icontains=word) | Q(aliases__icontains=word))
        return found
