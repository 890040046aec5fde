"""Users' list preferences and saved views."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, When

from oegen.core.compiled import compiled
from oegen.core.text import clean_line, is_blank
from oegen.pages.models import HiddenView, ListPreference, SavedView
from oegen.people.models import User
from oegen.people.roles import ROLES

PAGE_SIZES = (25, 50, 100)
DEFAULT_PAGE_SIZE = 50

#: With whom a view is shared, unless it is a role.
NOBODY, EVERYBODY = "", "everybody"

SHARING = [
    (NOBODY, "Nobody"),
    *((role, role) for role in ROLES),
    (EVERYBODY, "Everybody"),
]

#: The permission to remove what others share.
REMOVE_SHARED = "oegen.remove_shared_view"


class ViewNameTakenError(Exception):
    def __init__(self, name: str):
        super().__init__(
            f"You have a view called “{name}” on this list already, and both are kept as they "
            "were. Choose another name, or remove the old view first."
        )


class ViewNameField(forms.CharField):
    """A single line, cleaned by ``clean_line``."""

    def to_python(self, value):
        name = clean_line(super().to_python(value) or "")
        if name and is_blank(name):
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return name


class ViewForm(forms.Form):
    name = ViewNameField(
        max_length=80,
        error_messages={
            "required": "Give the view a name.",
            "max_length": "A name has at most 80 characters; this one has %(show_value)s.",
        },
    )
    share = forms.ChoiceField(
        choices=SHARING,
        required=False,
        error_messages={"invalid_choice": "There is no role “%(value)s” to share it with."},
    )

    def clean_share(self) -> str:
        share: str = self.cleaned_data["share"]
        if share in ROLES and not Group.objects.filter(name=share).exists():
            raise forms.ValidationError(f"There is no role “{share}” here.", code="no_role")
        return share


def preference_of(user: User, list_name: str) -> ListPreference:
    """The user's preferences for the list; an unsaved, empty instance if there are none."""
    for chosen in _preference(key=user.pk, name=list_name):
        return chosen
    return ListPreference(user=user, list_name=list_name)


@compiled
def _preference(*, key: Any, name: Any) -> QuerySet[ListPreference]:
    return ListPreference.objects.filter(user=key, list_name=name)


def _is_for(user: Any) -> Q:
    """The user's own views, and those shared with everybody or with a role of theirs. ``user`` is
    the account's key, or its place in a compiled statement."""
    groups = Group.objects.filter(user=user).order_by()
    return Q(owner=user) | Q(is_shared=True) | Q(shared_with__in=groups.values("pk"))


def _is_hidden_by(user: Any) -> Exists:
    return Exists(HiddenView.objects.filter(user=user, view=OuterRef("pk")))


def all_views_of(user: User) -> QuerySet[SavedView]:
    """The views of every list that are for the user, without those that they hide."""
    found = SavedView.objects.filter(_is_for(user.pk)).exclude(_is_hidden_by(user.pk))
    return found.select_related("owner")


def views_of(user: User, list_name: str) -> QuerySet[SavedView]:
    """The views of a list that are for the user, their own first.

    Adds ``is_own``, ``is_hidden`` (by the user) and ``is_for_me`` to each row. Those who may remove
    what others share also see what is shared with other roles, which is not for them.
    """
    return _views(user.has_perm(REMOVE_SHARED), user.pk, list_name)


def listed_views_of(user: User, list_name: str) -> list[SavedView]:
    """``views_of``, read."""
    return _listed(user.has_perm(REMOVE_SHARED), key=user.pk, name=list_name)


@compiled
def _listed(sees_others: bool, *, key: Any, name: Any) -> QuerySet[SavedView]:
    return _views(sees_others, key, name)


def _views(sees_others: bool, user: Any, list_name: Any) -> QuerySet[SavedView]:
    is_visible = is_for_me = _is_for(user)
    if sees_others:
        is_visible |= Q(shared_with__isnull=False)
    return (
        SavedView.objects.filter(is_visible, list_name=list_name)
        .select_related("owner", "shared_with")
        .annotate(
            is_own=Case(When(owner=user, then=True), default=False),
            is_for_me=Case(When(is_for_me, then=True), default=False),
            is_hidden=_is_hidden_by(user),
        )
        .order_by("-is_own", "name", "pk")
    )


def choose_columns(*, user: User, list_name: str, columns: list[str]) -> None:
    """Store the columns, in order; an empty list resets to the default columns."""
    ListPreference.objects.update_or_create(
        user=user, list_name=list_name, defaults={"columns": columns}
    )


def choose_page_size(*, user: User, list_name: str, page_size: int) -> None:
    """Store the page size. Raises ValueError for a size that is not one of PAGE_SIZES."""
    if page_size not in PAGE_SIZES:
        raise ValueError(f"A page has {PAGE_SIZES} rows, not {page_size}.")
    ListPreference.objects.update_or_create(
        user=user, list_name=list_name, defaults={"page_size": page_size}
    )


def save_view(
    *, owner: User, list_name: str, name: str, query: str, share: str = NOBODY
) -> SavedView:
    """Save a new view; ``share`` is one of SHARING. Raises ViewNameTakenError."""
    view = SavedView(owner=owner, list_name=list_name, query=query)
    return _store(view, name, share)


def rename_view(*, view: SavedView, user: User, name: str, share: str = NOBODY) -> SavedView:
    """Rename the view. Raises ViewNameTakenError, and PermissionDenied for others' views."""
    _check_owner(view, user)
    return _store(view, name, share)


def copy_view(*, view: SavedView, user: User) -> SavedView:
    """Save what others share as a view of the user's own. Raises ViewNameTakenError."""
    return save_view(owner=user, list_name=view.list_name, name=view.name, query=view.query)


def hide_view(*, view: SavedView, user: User) -> None:
    """Leave out a view that others share from the user's tabs."""
    HiddenView.objects.get_or_create(user=user, view=view)


def show_view(*, view: SavedView, user: User) -> None:
    HiddenView.objects.filter(user=user, view=view).delete()


def remove_view(*, view: SavedView, user: User) -> None:
    """Delete the view. Raises PermissionDenied for others' views, unless they are shared and the
    user may remove those."""
    is_shared = view.is_shared or view.shared_with_id is not None
    if not (is_shared and user.has_perm(REMOVE_SHARED)):
        _check_owner(view, user)
    view.delete()


def _check_owner(view: SavedView, user: User) -> None:
    if view.owner_id != user.pk:
        raise PermissionDenied(
            f"“{view.name}” is {view.owner}’s view: only they can rename or remove it. "
            "Make a copy of it, or hide it, instead."
        )


def _store(view: SavedView, name: str, share: str) -> SavedView:
    view.name = name
    view.is_shared = share == EVERYBODY
    view.shared_with = Group.objects.get(name=share) if share in ROLES else None
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError as error:
        others = SavedView.objects.filter(owner=view.owner, list_name=view.list_name)
        if others.exclude(pk=view.pk).filter(name__iexact=name).exists():
            raise ViewNameTakenError(name) from error
        raise
    return view
