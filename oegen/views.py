"""The page bases every application builds on, and the pages that belong to none."""

import re

from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import DetailView
from django_filters.views import FilterView
from django_tables2 import SingleTableMixin

from oegen import comments, timeline
from oegen.comments import CommentForm
from oegen.models import Comment

TIMELINE_STEP = 50


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
    """The page of one record: facts at the left, its timeline with the comments at the right.

    A POST adds a comment. ``?show=`` narrows the timeline, ``?entries=`` says how much of it.
    """

    section = ""

    def post(self, request, *args, **kwargs):
        if not request.user.has_perm("oegen.add_comment"):
            raise PermissionDenied
        self.object = self.get_object()
        form = CommentForm(request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(comment_form=form))
        Comment.objects.create(
            subject=self.object, author=request.user, text=form.cleaned_data["text"]
        )
        return redirect(f"{request.path}#timeline-title")

    def get_context_data(self, **kwargs):
        context = {"comment_form": CommentForm(), **self._timeline(), **kwargs}
        return super().get_context_data(**context) | {
            "section": self.section,
            "record": self.object,
        }

    def _timeline(self) -> dict:
        show = self.request.GET.get("show", timeline.Show.ALL)
        if show not in timeline.Show:
            show = timeline.Show.ALL
        asked_for = self.request.GET.get("entries", "")
        wanted = int(asked_for) if re.fullmatch(r"[0-9]{1,4}", asked_for) else TIMELINE_STEP
        shown = max(wanted, TIMELINE_STEP)
        # One more than is shown tells whether there are older ones.
        entries = timeline.entries_of(self.object, limit=shown + 1, show=show)
        said = [entry.record_id for entry in entries if entry.is_comment]
        return {
            "timeline": entries[:shown],
            "timeline_show": show,
            "timeline_choices": timeline.Show.choices,
            "timeline_more": shown + TIMELINE_STEP if len(entries) > shown else None,
            "comments_to_correct": comments.keys_to_correct(self.request.user, said),
        }
