"""Lists of the admin that say so when their address asks for something they don't know."""

from django.contrib import messages
from django.contrib.admin import DateFieldListFilter
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.http import HttpResponseRedirect
from django.utils.text import Truncator

from oegen import ordering


class OrderedChangeList(ChangeList):
    """A list whose names sort by their sort keys."""

    def get_ordering_field(self, field_name):
        field = super().get_ordering_field(field_name)
        return ordering.path_of(self.model, field) if isinstance(field, str) else field


class OrderedNamesMixin:
    """For an admin or its inlines: names sort by their sort keys."""

    def get_changelist(self, request, **kwargs):
        return OrderedChangeList

    def get_ordering(self, request):
        default = super().get_ordering(request) or self.opts.ordering
        return [
            ordering.path_of(self.model, one) if isinstance(one, str) else one for one in default
        ]


class UnknownFilterError(Exception):
    """The address of a list has a filter, or a value of one, that the list does not know."""


class FiltersSpeak:
    """For a ModelAdmin. Django shows such a list without its filters and says nothing, shows it
    empty, or answers 400, depending on the kind of filter."""

    def get_changelist_instance(self, request):
        # These would fail in the database.
        if any("\x00" in text or "regex" in name for name, text in request.GET.items()):
            raise UnknownFilterError
        try:
            changelist = super().get_changelist_instance(request)
        except (IncorrectLookupParameters, DisallowedModelAdminLookup) as error:
            raise UnknownFilterError from error
        asked = set(changelist.get_filters_params())
        if asked - self._known_parameters(changelist):
            raise UnknownFilterError
        for spec in changelist.filter_specs:
            # A range of days may be any; everything else is one of the choices at the side.
            if not spec.used_parameters or isinstance(spec, DateFieldListFilter):
                continue
            if not any(choice["selected"] for choice in spec.choices(changelist)):
                raise UnknownFilterError
        return changelist

    @staticmethod
    def _known_parameters(changelist) -> set[str]:
        """Django takes other lookups too, and leaves out what a filter without choices asks."""
        days = [f"{changelist.date_hierarchy}__{part}" for part in ("year", "month", "day")]
        return {*days, *(name for spec in changelist.filter_specs for name in spec.used_parameters)}

    def changelist_view(self, request, extra_context=None):
        try:
            return super().changelist_view(request, extra_context)
        except UnknownFilterError:
            asked = Truncator(" and ".join(f"{k}={v}" for k, v in request.GET.items())).chars(200)
            nothing_done = " Nothing was saved." if request.method == "POST" else ""
            self.message_user(
                request,
                f"The list is shown without filters, because its address asks for “{asked}”, "
                f"which it does not know. Choose a filter of the list instead.{nothing_done}",
                messages.WARNING,
            )
            return HttpResponseRedirect(request.path)
