from django.db import models


class Status(models.TextChoices):
    OPEN = "open", "Open"
    WATCHING = "watching", "Watching"
    CLOSED = "closed", "Closed"
