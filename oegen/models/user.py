from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """Somebody who signs in. Whoever has made a change can be deactivated but not removed."""

    unaudited = "Accounts are administered, not traded in; the admin logs their changes."

    class Meta(AbstractUser.Meta):
        ordering = ["username"]
        permissions = [("enter_admin", "Can enter the admin")]

    def __str__(self):
        return self.get_full_name() or self.username
