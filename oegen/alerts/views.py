"""Each person's own page of e-mail, and the links that end it without signing in."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from django.views.generic import TemplateView

from oegen.alerts import preferences
from oegen.alerts.delivery import configured_channels
from oegen.models import Channel


class MyAlerts(TemplateView):
    """What the signed-in person wants to be mailed about."""

    template_name = "oegen/alerts/mine.html"

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
    context = {"person": person, "chosen": chosen, "is_done": request.method == "POST"}
    return render(request, template, context)
