"""Counterparties and contacts as entity sets."""

from counterparties.models import Contact, Counterparty
from oegen.api.odata.sets import EntitySet, bookkeeping, fields, of_queryset, register

register(
    EntitySet(
        "Counterparties",
        "Counterparty",
        "Companies that projects are developed, owned, financed or traded with.",
        (
            *fields(Counterparty, id="The company's id.", name="Its name."),
            *fields(
                Counterparty,
                *("aliases", "strategy", "country", "company_number", "lei", "is_placeholder"),
                "archived_at",
                website="Its website.",
            ),
            *bookkeeping(Counterparty),
        ),
        of_queryset(lambda: Counterparty.objects.recorded()),
    )
)

register(
    EntitySet(
        "Contacts",
        "Contact",
        "People at companies.",
        (
            *fields(
                Contact,
                id="The person's id.",
                name="Their name.",
                email="Their e-mail address.",
                phone="Their telephone number.",
                job_title="What they do.",
            ),
            *fields(Contact, "aliases"),
            *bookkeeping(Contact),
        ),
        of_queryset(lambda: Contact.objects.recorded()),
        is_personal=True,
    )
)
