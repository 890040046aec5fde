"""What the palette offers of counterparties and contacts."""

from counterparties.models import Contact, Counterparty
from oegen.pages.commands import add, go_to, register

register(
    go_to("Counterparties", "counterparties", "building", "companies", is_usual=True),
    go_to("Contacts", "contacts", "users", "people", is_usual=True),
    add(Counterparty),
    add(Contact),
)
