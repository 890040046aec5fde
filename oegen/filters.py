import django_filters
from django import forms


class TextFilter(django_filters.CharFilter):
    """Search words for the queryset's ``matching``."""

    def __init__(self, **kwargs):
        super().__init__(
            label="Search",
            max_length=200,
            widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
            **kwargs,
        )

    def filter(self, queryset, value):
        return queryset.matching(value) if value else queryset


class PageFilterSet(django_filters.FilterSet):
    """The filters above a list, dressed for the site's look."""

    @property
    def form(self):
        form = super().form
        for field in form.fields.values():
            is_choice = isinstance(field.widget, forms.Select)
            field.widget.attrs["class"] = "form-select" if is_choice else "form-control"
            if is_choice:
                field.error_messages["invalid_choice"] = (
                    "There is no “%(value)s” here: choose one from the list."
                )
        return form
