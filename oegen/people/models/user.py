from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models

from oegen import audit


class AccountQuerySet(models.QuerySet):
    """Adds bulk writes, for which Django sends no signals, to the audit trail."""

    def update(self, **kwargs):
        with audit.change_set():
            audit.queue_for_closing(self.model, self.order_by().values_list("pk", flat=True))
            return super().update(**kwargs)

    update.alters_data = True  # type: ignore[attr-defined]  # Django marks functions so

    def bulk_create(self, objs, *args, **kwargs):
        """Also audit the new accounts.

        Raises ValueError for ``ignore_conflicts`` and ``update_conflicts``: the database does not
        report which accounts it wrote.
        """
        if kwargs.get("ignore_conflicts") or kwargs.get("update_conflicts"):
            raise ValueError("Accounts can't be written in bulk where some may be there already.")
        with audit.change_set():
            created = super().bulk_create(objs, *args, **kwargs)
            audit.queue_for_closing(self.model, (account.pk for account in created))
        return created


class AccountManager(UserManager.from_queryset(AccountQuerySet)):  # type: ignore[misc]  # made by a call
    use_in_migrations = False


class User(AbstractUser):
    """A user account. One that has made a change can be deactivated but not removed."""

    unaudited = "Its AccountRecord is, and follows every change of it."

    email = models.EmailField("e-mail", blank=True)
    is_active = models.BooleanField(
        "active",
        default=True,
        help_text="Whether this person can sign in. Untick this instead of removing an account.",
    )

    #: Set for one request by oegen.asof.middleware.
    reads_past = False

    objects = AccountManager()  # type: ignore[misc]  # Django's is a class variable in the stubs

    class Meta(AbstractUser.Meta):  # type: ignore[name-defined]  # not in the stubs
        ordering = ["username"]
        permissions = [("enter_admin", "Can enter the admin")]

    def has_perm(self, perm, obj=None):
        """No permissions on a past page, where nothing can be changed."""
        return not self.reads_past and super().has_perm(perm, obj)

    def __str__(self):
        return self.get_full_name() or self.username
