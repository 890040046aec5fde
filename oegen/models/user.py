from django.contrib.auth.models import AbstractUser

from oegen import clock


class User(AbstractUser):
    """Somebody who signs in. Whoever has made a change can be deactivated but not removed."""

    unaudited = "Accounts are administered, not traded in; the admin logs their changes."

    class Meta(AbstractUser.Meta):
        ordering = ["username"]
        permissions = [("enter_admin", "Can enter the admin")]

    def has_perm(self, perm, obj=None):
        """As Django's; while the past is being read, nobody may change anything."""
        return clock.past_day() is None and super().has_perm(perm, obj)

    def __str__(self):
        return self.get_full_name() or self.username
