"""Users' list preferences and saved views."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from oegen.core.text import clean_line, is_blank
from oegen.pages.models import ListPreference, SavedView
from oegen.people.models import User

PAGE_SIZES = (25, 50, 100)
DEFAULT_PAGE_SIZE = 50


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
    is_shared = forms.BooleanField(required=False)


def preference_of(user: User, list_name: str) -> ListPreference:
    """The user's preferences for the list; an unsaved, empty instance if there are none."""
    chosen = ListPreference.objects.filter(user=user, list_name=list_name).first()
    return chosen or ListPreference(user=user, list_name=list_name)


def all_views_of(user: User) -> QuerySet[SavedView]:
    """The user's own views of every list, and shared ones."""
    return SavedView.objects.filter(Q(owner=user) | Q(is_shared=True)).select_related("owner")


def views_of(user: User, list_name: str) -> QuerySet[SavedView]:
    """Those of one list."""
    return all_views_of(user).filter(list_name=list_name)


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


def save_view(*, owner: User, list_name: str, name: str, query: str, is_shared: bool) -> SavedView:
    """Save a new view. Raises ViewNameTakenError."""
    view = SavedView(owner=owner, list_name=list_name, query=query)
    return _store(view, name, is_shared)


def rename_view(*, view: SavedView, user: User, name: str, is_shared: bool) -> SavedView:
    """Rename the view. Raises ViewNameTakenError, and PermissionDenied for others' views."""
    _check_owner(view, user)
    return _store(view, name, is_shared)


def remove_view(*, view: SavedView, user: User) -> None:
    """Delete the view. Raises PermissionDenied for others' views."""
    _check_owner(view, user)
    view.delete()


def _check_owner(view: SavedView, user: User) -> None:
    if view.owner_id != user.pk:
        raise PermissionDenied(
            f"“{view.name}” is {view.owner}’s view: only they can rename or remove it. "
            "Open it and save it under a name of your own instead."
        )


def _store(view: SavedView, name: str, is_shared: bool) -> SavedView:
    view.name = name
    view.is_shared = is_shared
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError as error:
        others = SavedView.objects.filter(owner=view.owner, list_name=view.list_name)
        if others.exclude(pk=view.pk).filter(name__iexact=name).exists():
            raise ViewNameTakenError(name) from error
        raise
    return view
