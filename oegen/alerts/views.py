"""Views for notices, e-mail preferences, unsubscribing without signing in, and mentions."""

import re

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe
from django.views.generic import TemplateView

from oegen.alerts import mentions, preferences
from oegen.alerts.channels import configured_channels
from oegen.alerts.models import Channel
from oegen.people.requests import SignedInRequest

#: The number of notices per page.
PAGE_SIZE = 50


class Notices(TemplateView):
    """The notices of the signed-in user, newest first.

    A POST marks one notice as read, or all up to the newest on the page, so that notices which
    arrived since stay unread.
    """

    template_name = "oegen/alerts/notices.html"
    request: SignedInRequest

    def post(self, request, *args, **kwargs):
        notices = request.user.notices.all()
        for name, lookup in (("notice", "pk"), ("up_to", "pk__lte")):
            key = request.POST.get(name, "")
            if re.fullmatch(r"[0-9]{1,18}", key):
                notices.filter(**{lookup: key}).mark_read()
                return redirect("notices")
        raise BadRequest("This page does not know what to mark as read.")

    def get_context_data(self, **kwargs):
        notices = self.request.user.notices.select_related("change_set")
        page = Paginator(notices, PAGE_SIZE).get_page(self.request.GET.get("page"))
        return super().get_context_data(**kwargs) | {
            "page": page,
            "newest": page.object_list[0].pk if page.object_list else None,
            "has_unread": self.request.user.notices.unread().exists(),
        }


@require_safe
def people_to_mention(request: SignedInRequest) -> JsonResponse:
    """Users whose name starts with ``q``. Requires the permission to write comments."""
    if not request.user.has_perm("oegen.add_comment"):
        raise PermissionDenied
    people = mentions.suggest(request.GET.get("q", "")[:150])
    return JsonResponse(
        {"people": [{"username": one.username, "name": str(one)} for one in people]}
    )


@require_safe
def mention_recipients(request: SignedInRequest) -> JsonResponse:
    """Who would be notified of a comment with the usernames in ``name``, or why it would be
    refused."""
    if not request.user.has_perm("oegen.add_comment"):
        raise PermissionDenied
    names = request.GET.getlist("name")[:20]
    try:
        mentions.check_mentions(" ".join(f"@{name}" for name in names))
    except ValidationError as error:
        return JsonResponse({"problem": " ".join(error.messages)})
    recipients = mentions.describe_recipients(names, request.user)
    return JsonResponse({"sentence": f"Tells {recipients}." if recipients else ""})


class MyAlerts(TemplateView):
    """The e-mail preferences of the signed-in user."""

    template_name = "oegen/alerts/mine.html"
    request: SignedInRequest

    def post(self, request, *args, **kwargs):
        preferences.choose(
            user=request.user,
            wanted=request.POST.getlist("event"),
            only_mine=request.POST.getlist("only_mine"),
            with_brief=request.POST.getlist("with_brief"),
        )
        messages.success(request, "Kept. It counts from the next change on.")
        return redirect("my-alerts")

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {
            "choices": preferences.choices_of(self.request.user),
            "sends_email": Channel.EMAIL in configured_channels(),
        }


@login_not_required
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Unsubscribe from e-mail without signing in: the signed token authorizes it.

    A GET changes nothing, because mail programs prefetch links. The POST comes from the button or,
    by RFC 8058, from the mail program.
    """
    template = "oegen/alerts/unsubscribe.html"
    try:
        person, chosen = preferences.read_token(token)
    except preferences.BadLinkError as error:
        return render(request, template, {"problem": str(error)}, status=400)
    if request.method == "POST":
        preferences.unsubscribe(user=person, events=chosen)
    # The page does not reveal whose link it is.
    context = {"chosen": chosen, "is_done": request.method == "POST"}
    return render(request, template, context)
