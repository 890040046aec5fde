"""The bell, each person's own page of e-mail and the links that end it without signing in, and who
can be mentioned in a comment."""

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

#: So many notices on a page.
PAGE_SIZE = 50


class Notices(TemplateView):
    """The bell of the signed-in person: what they are told, newest first.

    A POST marks one notice as read, or all up to the one that was the newest on the page, so that
    nothing is marked which arrived meanwhile.
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
    """Those whose name begins with ``q``, for whoever may write comments."""
    if not request.user.has_perm("oegen.add_comment"):
        raise PermissionDenied
    people = mentions.suggest(request.GET.get("q", "")[:150])
    return JsonResponse(
        {"people": [{"username": one.username, "name": str(one)} for one in people]}
    )


@require_safe
def mention_recipients(request: SignedInRequest) -> JsonResponse:
    """What a comment with the usernames in ``name`` would do: whom it tells and how, or why it
    would be refused."""
    if not request.user.has_perm("oegen.add_comment"):
        raise PermissionDenied
    names = request.GET.getlist("name")[:20]
    try:
        mentions.check_mentions(" ".join(f"@{name}" for name in names))
    except ValidationError as error:
        return JsonResponse({"problem": " ".join(error.messages)})
    told = mentions.describe_recipients(names, request.user)
    return JsonResponse({"sentence": f"Tells {told}." if told else ""})


class MyAlerts(TemplateView):
    """What the signed-in person wants to be mailed about."""

    template_name = "oegen/alerts/mine.html"
    request: SignedInRequest

    def post(self, request, *args, **kwargs):
        preferences.choose(user=request.user, wanted=request.POST.getlist("event"))
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
    """Looking at the link changes nothing, because mail programs look at links by themselves. The
    POST is the button's or, after RFC 8058, the mail program's own; its right is the signature."""
    template = "oegen/alerts/unsubscribe.html"
    try:
        person, chosen = preferences.read_token(token)
    except preferences.BadLinkError as error:
        return render(request, template, {"problem": str(error)}, status=400)
    if request.method == "POST":
        preferences.unsubscribe(user=person, events=chosen)
    # Whoever has the link is not shown whose it is.
    context = {"chosen": chosen, "is_done": request.method == "POST"}
    return render(request, template, context)
