from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse


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
