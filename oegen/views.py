"""The page bases every application builds on, and the pages that belong to none."""

from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.generic import DetailView
from django_filters.views import FilterView
from django_tables2 import SingleTableMixin

from oegen import timeline


@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """200 "ok" while the database answers; its error propagates as a 500 otherwise."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")


class SignIn(auth_views.LoginView):
    template_name = "oegen/login.html"
    redirect_authenticated_user = True


class SignOut(auth_views.LogoutView):
    pass


class ListPage(SingleTableMixin, FilterView):
    """A list is a queryset, a filterset and a table; the state is in the address.

    A filter value that can't be understood lists nothing and says so beside the filter.
    Above the table stand the number of what is filtered, all pages, and its capacity where the
    queryset can tell one.
    """

    template_name = "oegen/list.html"
    table_pagination = {"per_page": 50}
    section = ""
    empty_text = ""

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        meta = self.filterset.queryset.model._meta
        listed = self.object_list
        return context | {
            "section": self.section,
            "empty_text": self.empty_text,
            "meta": meta,
            "singular": meta.verbose_name,
            "plural": meta.verbose_name_plural,
            "total": context["table"].paginator.count,
            "capacity": listed.capacity() if hasattr(listed, "capacity") else None,
            "is_wrong": self.filterset.is_bound and not self.filterset.is_valid(),
            "is_filtered": any(self.request.GET.get(name) for name in self.filterset.filters),
        }


class RecordPage(DetailView):
    """The page of one record: facts at the left, its timeline at the right."""

    section = ""

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {
            "section": self.section,
            "record": self.object,
            "timeline": timeline.entries_of(self.object),
        }
