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


#: What each scope is for, to stand after its label.
SENTENCES = {
    Scope.READ: "Records, lists and figures.",
    Scope.WRITE: "Add, change and remove records, one at a time.",
    Scope.BULK: "Add and change many records in one request.",
    Scope.FEED: "All changes in their order, for a copy elsewhere.",
    Scope.ODATA: "Tables in Excel and Power BI.",
    Scope.ASK: "Questions about the portfolio, as an assistant asks them.",
    Scope.PERSONAL: "Contacts, comments and people’s names, which are left out otherwise.",
}
