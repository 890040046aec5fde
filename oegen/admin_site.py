from functools import partial, update_wrapper

from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import SimpleLazyObject
from django.utils.text import capfirst

from oegen.audit.reference import ReferenceModel
from oegen.people.roles import ENTER_ADMIN
from oegen.people.sign_in import SignOut

#: The order of the applications.
APP_ORDER = ["pipelines", "registers", "counterparties", "infopoints", "dashboard", "oegen", "auth"]

#: The models with links in the header, in their order.
SECTIONS = ["Pipeline", "Facility", "Counterparty", "Contact", "InformationPoint"]

#: The models that are listed together with groups.
ACCESS = ["User", "ApiToken", "Webhook", "SecurityEvent", "Acknowledgement"]

READS_ONLY = (
    "Your role reads the dashboard pages and does not enter or change data. "
    "Ask an administrator if it should."
)


class OEGenAdminSite(AdminSite):
    site_header = "OEGen pipeline"
    site_title = "OEGen pipeline"
    index_title = "What would you like to work on?"
    enable_nav_sidebar = False  # the header links the sections

    def has_permission(self, request):
        """Depends on a permission, which groups grant; Django's staff flag is not used."""
        return request.user.is_active and request.user.has_perm(ENTER_ADMIN)

    def admin_view(self, view, cacheable=False):
        """Answer 403 to signed-in users without the permission, instead of a login page."""
        inner = super().admin_view(view, cacheable)

        def refuse_or_show(request, *args, **kwargs):
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied(READS_ONLY)
            return inner(request, *args, **kwargs)

        return update_wrapper(refuse_or_show, inner)

    @method_decorator(login_not_required)
    def login(self, request, extra_context=None):
        """Redirect to the site's sign-in page."""
        if request.user.is_authenticated:
            raise PermissionDenied(READS_ONLY)
        return redirect_to_login(request.GET.get("next") or request.get_full_path())

    def password_change(self, request, extra_context=None):
        """Redirect to the site's page for changing the password."""
        return redirect("my-password")

    password_change_done = password_change

    def logout(self, request, extra_context=None):
        return SignOut.as_view()(request)

    def get_app_list(self, request, app_label=None):
        """Built when it is read: most pages link only the sections."""
        return SimpleLazyObject(partial(self._app_list, request, app_label))

    def _app_list(self, request, app_label):
        app_list = super().get_app_list(request, app_label)
        app_list.sort(key=lambda app: APP_ORDER.index(app["app_label"]))
        if app_label is None:
            self._group_people(app_list)
        for app in app_list:
            app["models"].sort(key=lambda entry: self._sort_key(entry["model"]))
        return app_list

    def each_context(self, request):
        context = super().each_context(request)
        if context["has_permission"]:
            context["sections"] = list(self._sections(request))
        return context

    def _sections(self, request):
        """What the header links: those of SECTIONS that the person may see."""
        admins = {model._meta.object_name: own for model, own in self._registry.items()}
        for name in SECTIONS:
            opts = admins[name].opts
            if admins[name].has_view_or_change_permission(request):
                yield {
                    "name": capfirst(opts.verbose_name_plural),
                    "object_name": name,
                    "admin_url": reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"),
                }

    @staticmethod
    def _group_people(app_list) -> None:
        """List accounts and security events together with groups."""
        apps = {app["app_label"]: app for app in app_list}
        if not {"oegen", "auth"} <= set(apps):
            return
        entries = apps["oegen"]["models"]
        people = [entry for entry in entries if entry["object_name"] in ACCESS]
        apps["oegen"] |= {
            "name": "Comments, alerts and jobs",
            "models": [entry for entry in entries if entry not in people],
        }
        apps["auth"] |= {
            "name": "People and permissions",
            "models": [*people, *apps["auth"]["models"]],
        }

    @staticmethod
    def _sort_key(model) -> tuple[bool, int]:
        """The sort key of a model: first those of SECTIONS, in order; reference tables last."""
        name = model._meta.object_name
        position = SECTIONS.index(name) if name in SECTIONS else len(SECTIONS)
        return issubclass(model, ReferenceModel), position
