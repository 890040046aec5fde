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
        for name, field in form.fields.items():
            widget = field.widget
            kind = "form-select" if isinstance(widget, forms.Select) else "form-control"
            wrong = " is-invalid" if form.is_bound and name in form.errors else ""
            widget.attrs["class"] = f"{kind}{wrong}"
        return form
