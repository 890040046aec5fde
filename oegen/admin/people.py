from contextlib import nullcontext

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.utils.html import format_html

from oegen import audit
from oegen.admin.forms import RecordForm
from oegen.admin.lists import FoldedSearchMixin, StrictFiltersMixin
from oegen.admin.options import AuditedAdmin
from oegen.admin.removal import RemovalMixin
from oegen.alerts import mentions
from oegen.audit.audited import AuditedModel
from oegen.pages import comments
from oegen.people import roles
from oegen.people.comments import Comment
from oegen.people.models import User
from oegen.people.passwords import password_changed


class PersonForm(UserChangeForm):
    """Requires a changed username to be unique ignoring case, as for new accounts, because the
    sign-in ignores case."""

    def clean_username(self):
        username = self.cleaned_data["username"]
        others = User.objects.exclude(pk=self.instance.pk)
        if "username" in self.changed_data and others.filter(username__iexact=username).exists():
            raise ValidationError("A user with that username already exists.")
        return username


class OneChangeSetMixin(admin.ModelAdmin):
    """Wraps the writing views of accounts and groups in one change set."""

    def changeform_view(self, request, *args, **kwargs):
        with self._change_set(request):
            return super().changeform_view(request, *args, **kwargs)

    def delete_view(self, request, *args, **kwargs):
        with self._change_set(request):
            return super().delete_view(request, *args, **kwargs)

    def changelist_view(self, request, *args, **kwargs):
        with self._change_set(request):
            return super().changelist_view(request, *args, **kwargs)

    @staticmethod
    def _change_set(request):
        """No change set for reading requests, whose transaction would block writers."""
        if request.method != "POST":
            return nullcontext()
        return audit.change_set(source=audit.Source.FORM)


@admin.register(User)
class PersonAdmin(
    OneChangeSetMixin, RemovalMixin, StrictFiltersMixin, FoldedSearchMixin, UserAdmin
):
    """Accounts. Permissions come from groups; Django's staff flag is not used."""

    form = PersonForm
    list_display = ["username", "first_name", "last_name", "email", "role_names", "is_active"]
    list_filter = ["groups", "is_active"]
    search_fields = ["username", "first_name", "last_name"]
    filter_horizontal = ["groups"]
    delete_confirmation_template = "admin/account_removal.html"
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        (
            "What they may do",
            {
                "fields": ["is_active", "groups"],
                "description": f"{roles.PORTFOLIO_MANAGERS} enter and correct records, "
                f"{roles.MANAGERS} read the pages, {roles.ADMINISTRATORS} also look after "
                "accounts and reference tables. Whoever has made a change, an access token or a "
                "webhook, or was sent an alert, can't be removed: untick “Active” instead.",
            },
        ),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "usable_password", "password1", "password2"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("What they may do", {"fields": ["groups"]}),
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("groups")

    def get_actions(self, request):
        """Accounts are deleted one by one, because most of them can't be, for different reasons."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def has_view_permission(self, request, obj=None):
        """Autocompletes of accounts are open to everybody who may enter the admin."""
        picks = request.resolver_match.url_name == "autocomplete"
        return super().has_view_permission(request, obj) or (
            picks and request.user.has_perm(roles.ENTER_ADMIN)
        )

    def has_change_permission(self, request, obj=None):
        """Only superusers may change superusers, whose password they could otherwise set."""
        return super().has_change_permission(request, obj) and _may_edit(request, obj)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and _may_edit(request, obj)

    def user_change_password(self, request, id, form_url=""):
        before = self.get_object(request, unquote(id))
        response = super().user_change_password(request, id, form_url)
        user = self.get_object(request, unquote(id))
        if user is not None and before is not None and user.password != before.password:
            password_changed.send(type(self), user=user, by=request.user)
        return response

    @admin.display(description="Roles")
    def role_names(self, user):
        return ", ".join(group.name for group in user.groups.all()) or "none"


def _may_edit(request, person: User | None) -> bool:
    return person is None or request.user.is_superuser or not person.is_superuser


admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(OneChangeSetMixin, RemovalMixin, StrictFiltersMixin, GroupAdmin):
    """The three built-in roles can get more permissions, but not be deleted or renamed."""

    def has_delete_permission(self, request, obj=None):
        is_role = obj is not None and obj.name in roles.ROLES
        return super().has_delete_permission(request, obj) and not is_role

    def get_readonly_fields(self, request, obj=None):
        return ["name"] if obj and obj.name in roles.ROLES else []


class CommentRecordForm(RecordForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "text" in self.fields:
            self.fields["text"].widget.attrs.update(comments.MENTIONS)

    def clean_text(self):
        text = self.cleaned_data["text"]
        mentions.check_mentions(text, earlier=self.initial.get("text", ""))
        return text


def subject_link(subject: AuditedModel | None) -> str:
    """What a comment or a reference is about, linked to its page if it has one."""
    if subject is None:
        return "a removed record"
    if not hasattr(subject, "get_absolute_url"):
        return str(subject)
    return format_html('<a href="{}">{}</a>', subject.get_absolute_url(), subject)


@admin.register(Comment)
class CommentAdmin(AuditedAdmin):
    """Comments can be found and corrected here; they are added on the record's page."""

    form = CommentRecordForm
    list_display = ["about", "author", "created_at"]
    search_fields = ["text"]
    date_hierarchy = "created_at"
    fieldsets = [(None, {"fields": ["about", "author", "text"]})]
    readonly_fields = ["about", "author"]
    view_on_site = False

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("author").prefetch_related("subject")

    def has_add_permission(self, request):
        return False

    def _is_own(self, request, obj):
        return obj is None or comments.may_correct(request.user, obj)

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and self._is_own(request, obj)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and self._is_own(request, obj)

    def get_list_display(self, request):
        people = mentions.people_by_username(request)["people_by_username"]

        @admin.display(description="Comment")
        def short_text(comment):
            return mentions.with_names(str(comment), people)

        return [short_text, *super().get_list_display(request)]

    @admin.display(description="About")
    def about(self, comment):
        return subject_link(comment.subject)
