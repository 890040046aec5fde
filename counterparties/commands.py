"""What the palette offers of counterparties and contacts."""

from counterparties.models import Contact, Counterparty
from oegen.pages.commands import add, go_to, register

register(
    go_to("Counterparties", "counterparties", "building", "companies", section=3),
    go_to("Contacts", "contacts", "users", "people", section=4),
    add(Counterparty),
    add(Contact),
)
