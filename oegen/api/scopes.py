"""What an access token may be used for, within what its person may."""

from django.db import models


class Scope(models.TextChoices):
    """Tokens store these values: never rename or remove one."""

    READ = "read", "Read"
    WRITE = "write", "Write"
    BULK = "bulk", "Bulk"
    FEED = "feed", "Feed"
    ODATA = "odata", "OData"
    ASK = "ask", "Ask"
    PERSONAL = "personal", "Personal data"


#: What each scope allows, for the form.
SENTENCES = {
    Scope.READ: "Read records, lists and figures.",
    Scope.WRITE: "Add, change and remove records, one at a time.",
    Scope.BULK: "Add and change many records in one request.",
    Scope.FEED: "Follow the feed of all changes, for a copy elsewhere.",
    Scope.ODATA: "Read tables in Excel and Power BI.",
    Scope.ASK: "Ask questions about the portfolio, as an assistant does.",
    Scope.PERSONAL: "See contacts, comments and people's names, which are left out otherwise.",
}
