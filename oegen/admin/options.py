"""The base admin classes of audited models."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from operator import methodcaller
from typing import Any, cast
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import InlineAdminFormSet
from django.contrib.admin.options import BaseModelAdmin, InlineModelAdmin
from django.contrib.admin.utils import NestedObjects, quote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.db import models, router
from django.forms import modelform_factory, modelformset_factory
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.html import format_html
from django.utils.text import capfirst

from oegen import audit
from oegen.admin import guard, problems
from oegen.admin.forms import (
    OWN_FIELDS,
    GuardedForm,
    LinkFormSet,
    LoadedRecordField,
    RecordForm,
    RecordSelect,
    RowForm,
    TableFormSet,
    and_join,
)
from oegen.admin.gone import changed_values
from oegen.admin.lists import FoldedSearchMixin, OrderedNamesMixin, StrictFiltersMixin
from oegen.admin.removal import RemovalMixin
from oegen.admin.retry import Attempt, RetryMixin
from oegen.audit.audited import AuditedModel
from oegen.audit.narrative import timeline
from oegen.audit.reference import ReferenceModel
from oegen.core import next_url
from oegen.core.bidi import isolated
from oegen.core.compiled import compiled
from oegen.core.days import DayInput
from oegen.core.pointers import rows_pointing_to, target_of
from oegen.pages import comments
from oegen.people.comments import Comment
from oegen.people.models import User

FIELD_OVERRIDES: dict[type[models.Field], dict[str, Any]] = {
    models.DateField: {"widget": DayInput},
    models.TextField: {"widget": forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"})},
    models.URLField: {"assume_scheme": "https"},
}


def _records_read(obj: AuditedModel, inlines: Iterable[InlineAdminFormSet]) -> list[models.Model]:
    """The record, and those that it and its links point to, as far as its form has read them."""
    rows = [obj, *chain(*(inline.formset.get_queryset() for inline in inlines))]
    return [obj, *filter(None, chain(*(row._state.fields_cache.values() for row in rows)))]


class PlainForeignKeysMixin(BaseModelAdmin):
    """Foreign keys without icons to change, view or delete the related record. The icon to add one
    stays for business records, unless ``adds_related`` is false."""

    adds_related = True

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if "widget" not in kwargs and db_field.name in self.get_autocomplete_fields(request):
            kwargs |= {
                "widget": RecordSelect(db_field, self.admin_site),
                "form_class": LoadedRecordField,
            }
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            related = db_field.remote_field.model
            is_vocabulary = issubclass(related, ReferenceModel | User)
            field.widget.can_add_related &= self.adds_related and not is_vocabulary
            field.widget.can_change_related = False
            field.widget.can_delete_related = False
            field.widget.can_view_related = False
        return field


class AuditedAdmin(
    RemovalMixin,
    RetryMixin,
    StrictFiltersMixin,
    FoldedSearchMixin,
    OrderedNamesMixin,
    PlainForeignKeysMixin,
    admin.ModelAdmin,
):
    """The admin of an audited model, with edit guard, reasons, comments and history."""

    form = RecordForm
    row_form = RowForm
    list_per_page = 50
    show_full_result_count = False
    save_on_top = False
    change_form_template = "admin/record_form.html"
    change_list_template = "admin/record_list.html"
    delete_confirmation_template = "admin/record_removal.html"
    delete_selected_confirmation_template = "admin/records_removal.html"
    formfield_overrides = FIELD_OVERRIDES
    #: The record's page; False for models that have none.
    view_on_site: bool | Callable[[Any], str] = methodcaller("get_absolute_url")

    class Media:
        css = {"all": ["oegen/admin/admin.css"]}

    # Forms ---------------------------------------------------------------------------------------

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = cast("type[RecordForm]", super().get_form(request, obj, change=change, **kwargs))
        form.refusal = getattr(request, "refusal", "")
        if not hasattr(self.model, "comments"):
            form.base_fields.pop("new_comment", None)
        return form

    def get_changeform_initial_data(self, request):
        """Ignore keys of unknown records in the query string."""
        initial = super().get_changeform_initial_data(request)
        for field in self.opts.concrete_fields:
            form_field = field.formfield(required=False) if target_of(field) else None
            if form_field and field.name in initial:
                try:
                    form_field.clean(initial[field.name])
                except ValidationError:
                    del initial[field.name]
        return initial

    def get_changelist_form(self, request, **kwargs):
        """The form of a row, without icons beside foreign keys."""
        return modelform_factory(
            self.model,
            form=self.row_form,
            fields=self.list_editable,
            formfield_callback=partial(self.formfield_for_row, request=request),
        )

    def formfield_for_row(self, db_field, request, **kwargs):
        if isinstance(db_field, models.DateField):
            kwargs["widget"] = DayInput
        elif isinstance(db_field, models.TextField):
            kwargs["widget"] = forms.Textarea(attrs={"rows": 2})
        elif isinstance(db_field, models.ForeignKey):
            kwargs["form_class"] = LoadedRecordField
        field = db_field.formfield(**kwargs)
        if isinstance(field, LoadedRecordField):
            rows = cast("models.QuerySet[Any]", field.queryset)
            # In their order, which in_bulk drops.
            records: Any = SimpleLazyObject(lambda: {row.pk: row for row in rows})
            field.records = records
        return field

    def get_changelist_formset(self, request, **kwargs):
        formset = cast(
            "type[TableFormSet]",
            modelformset_factory(
                self.model,
                self.get_changelist_form(request),
                formset=TableFormSet,
                extra=0,
                fields=self.list_editable,
            ),
        )
        formset.refusal = getattr(request, "refusal", "")
        return formset

    def get_formset_kwargs(self, request, obj, inline, prefix):
        """Like Django's, without a copy of what was sent for each inline."""
        kwargs = {"instance": obj, "prefix": prefix, "links": inline.links_of(request, obj)}
        if request.method == "POST":
            kwargs |= {"data": request.POST, "files": request.FILES}
        return kwargs

    # Saving --------------------------------------------------------------------------------------

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        return self._in_change_set(
            request,
            audit.Source.FORM,
            partial(super().changeform_view, request, object_id, form_url, extra_context),
        )

    def changelist_view(self, request, extra_context=None):
        needed = [name for name in self.list_editable if name in self.model.REASON_FIELDS]
        labels = [str(self.model._meta.get_field(name).verbose_name) for name in needed]
        context = {
            "title": capfirst(self.opts.verbose_name_plural),
            "reason_needed_for": and_join(labels) if labels else "",
            **(extra_context or {}),
        }
        has_form = "_save" in request.POST
        view = partial(super().changelist_view, request, context)
        return self._in_change_set(
            request,
            audit.Source.TABLE,
            partial(self._save_rows, request, view) if has_form else view,
            has_form=has_form,
        )

    @staticmethod
    def _save_rows(request, view):
        """Run the view of an editable list, writing what belongs to its rows all at once."""
        with audit.saves_together():
            return view()

    def delete_view(self, request, object_id, extra_context=None):
        return self._in_change_set(
            request,
            audit.Source.FORM,
            partial(self._guarded_delete_view, request, object_id, extra_context),
            has_form=False,
        )

    def _guarded_delete_view(self, request, object_id, extra_context):
        """Refuse the deletion if the record was changed since the page was opened."""
        obj = self.get_object(request, object_id)
        if obj is not None and self.has_delete_permission(request, obj):
            if request.method == "POST" and (conflict := self._conflict(request, obj)):
                self.message_user(request, conflict, messages.ERROR)
                return HttpResponseRedirect(request.get_full_path())
            extra_context = {**(extra_context or {}), "guard": guard.token([obj])}
        return super().delete_view(request, object_id, extra_context)

    @staticmethod
    def _conflict(request, obj) -> str:
        """The message if the record was changed since the confirmation page was opened."""
        try:
            opened = guard.parse_token(request.POST.get("guard", ""))
        except ValidationError as error:
            return str(error.message)
        conflict = guard.find_conflict(opened, [obj])
        return conflict.as_message() if conflict else ""

    def response_add(self, request, obj, post_url_continue=None):
        request.attempt.saved, request.attempt.action = obj, "added"
        return super().response_add(request, obj, post_url_continue)

    def response_change(self, request, obj):
        change_set = audit.current_change_set()
        request.attempt.nothing_changed = change_set is not None and not change_set.has_rows
        request.attempt.saved, request.attempt.action = obj, "changed"
        return super().response_change(request, obj)

    def message_user(self, request, message, level=messages.INFO, *args, **kwargs):
        """Replace Django's "changed successfully" if nothing changed. The message links to the
        record's page instead of the form, and to the page on which the form was opened."""
        attempt = getattr(request, "attempt", None) or Attempt()
        if attempt.nothing_changed:
            level, message = messages.WARNING, "Nothing was different, so nothing was saved."
        elif (obj := attempt.saved) is not None and hasattr(obj, "get_absolute_url"):
            sentence = 'The {} “<a href="{}">{}</a>” was {} successfully.{}'
            back = self._link_back(request, obj)
            message = format_html(
                sentence, self.opts.verbose_name, obj.get_absolute_url(), obj, attempt.action, back
            )
        super().message_user(request, message, level, *args, **kwargs)

    def save_model(self, request, obj, form, change):
        """Save the record if it changed, and add the comment, if there is one."""
        if not change or form.model_changes:
            super().save_model(request, obj, form, change)
        text = form.cleaned_data.get("new_comment", "").strip()
        if text and (message := comments.add(request.user, obj, text)):
            self.message_user(request, message)

    def _get_obj_does_not_exist_redirect(self, request, opts, object_id):
        """Show the input of a form whose record was removed in the meantime."""
        if request.method != "POST":
            return super()._get_obj_does_not_exist_redirect(request, opts, object_id)
        removed = self._removed_record(object_id)
        removal = timeline.removal_of(self.model, object_id) if removed else None
        context = {
            **self.admin_site.each_context(request),
            "title": f"This {opts.verbose_name} has been removed",
            "opts": opts,
            "removal": removal[0] if removal else None,
            "typed": list(changed_values(self, request, removed)) if removed else [],
        }
        return TemplateResponse(request, "admin/record_gone.html", context, status=409)

    # Redirects -----------------------------------------------------------------------------------

    def get_preserved_filters(self, request):
        """Also preserve ``next`` in the links between a record's forms."""
        preserved = super().get_preserved_filters(request)
        came_from = next_url.get_next_page(request)
        return "&".join(filter(None, [preserved, came_from and next_url.as_query(came_from)]))

    def response_post_save_add(self, request, obj):
        return self._redirect_to_record(request, obj) or super().response_post_save_add(
            request, obj
        )

    def response_post_save_change(self, request, obj):
        return self._redirect_to_record(request, obj) or super().response_post_save_change(
            request, obj
        )

    def _redirect_to_record(self, request, obj) -> HttpResponseRedirect | None:
        """Redirect to the record's page, with its query string if the form was opened there."""
        if not hasattr(obj, "get_absolute_url"):
            return self._redirect_back(request)
        came_from, page = next_url.get_next_page(request), obj.get_absolute_url()
        return HttpResponseRedirect(came_from if urlsplit(came_from).path == page else page)

    def _link_back(self, request, obj) -> str:
        """A link to the page on which the form was opened, unless that is the record's page."""
        if {"_continue", "_addanother", "_popup"} & request.POST.keys():
            return ""
        back = next_url.get_next_page(request)
        if urlsplit(back).path == obj.get_absolute_url():
            return ""
        if not back:
            back = super().response_post_save_change(request, obj).url
        return format_html(' <a href="{}">Back to where you were</a>', back)

    def response_delete(self, request, obj_display, obj_id):
        response = super().response_delete(request, isolated(obj_display), obj_id)
        return self._redirect_back(request, removed=str(obj_id)) or response

    def _redirect_back(self, request, removed: str = "") -> HttpResponseRedirect | None:
        """Redirect to the page on which the form was opened; for the page of a removed record, to
        its list."""
        came_from = next_url.get_next_page(request)
        if not came_from:
            return None
        page = urlsplit(came_from).path
        if removed and page.endswith(f"/{removed}/"):
            came_from = page.removesuffix(f"{removed}/")
        return HttpResponseRedirect(came_from)

    # Reading -------------------------------------------------------------------------------------

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if context.get("errors"):
            # Replaces Django's generic error message.
            inlines = context["inline_admin_formsets"]
            context["problems"] = problems.form_problems(context["adminform"].form, inlines)
        if change and obj is not None:
            # A form that is shown again has what was typed on its records.
            is_stored = request.method == "GET"
            known = _records_read(obj, context["inline_admin_formsets"]) if is_stored else ()
            context["timeline"] = timeline.entries_of(obj, limit=30, known=known)
            context["comments"] = (
                obj.comments.select_related("author")[:20] if hasattr(obj, "comments") else []
            )
        return super().render_change_form(request, context, add, change, form_url, obj)

    def history_view(self, request, object_id, extra_context=None):
        """Redirect to the site's history page, also for a removed record."""
        obj = self.get_object(request, object_id) or self._removed_record(object_id)
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return HttpResponseRedirect(reverse("history", args=[self.opts.model_name, obj.pk]))

    def _removed_record(self, object_id) -> AuditedModel | None:
        """An unsaved instance with the last values of a removed record."""
        try:
            row = self.model.history.filter(id=object_id).first()
        except ValidationError:
            return None
        return row.instance if row else None

    # Removing ------------------------------------------------------------------------------------

    def get_deleted_objects(self, objs, request):
        """List the records that prevent the deletion, not their link rows."""
        deleted, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        if self.model is not Comment:
            # Comments are deleted with their record, whoever wrote them.
            perms_needed.discard(str(Comment._meta.verbose_name))
        for model in audit.tracked_models():
            if model.parent_field():
                # So are links, although nobody can delete them by themselves.
                perms_needed.discard(str(model._meta.verbose_name))
        pointing = list(rows_pointing_to(self.model, [obj.pk for obj in objs]))
        for row in pointing:
            if not self.admin_site.get_model_admin(type(row)).has_delete_permission(request, row):
                perms_needed.add(str(row._meta.verbose_name))
        if protected or pointing:
            protected = self._dependents(objs, pointing)
        return deleted, counts, perms_needed, protected

    def _dependents(self, objs, pointing) -> list[str]:
        collector = NestedObjects(using=router.db_for_write(self.model), origin=objs)
        collector.collect(objs)
        records = {}
        for row in [*collector.protected, *pointing]:
            owner = row.parent_field() if isinstance(row, AuditedModel) else None
            record = getattr(row, owner.name) if owner else row
            records[record._meta.label, record.pk] = record
        ordered = sorted(records.values(), key=lambda record: (record._meta.label, str(record)))
        return [self._as_link(record) for record in ordered]

    def _as_link(self, record) -> str:
        noun = capfirst(record._meta.verbose_name)
        try:
            url = reverse(
                f"admin:{record._meta.app_label}_{record._meta.model_name}_change",
                args=[quote(record.pk)],
                current_app=self.admin_site.name,
            )
        except NoReverseMatch:
            return format_html("{}: {}", noun, record)
        return format_html('{}: <a href="{}">{}</a>', noun, url, record)


class LinkInlineMixin(OrderedNamesMixin, PlainForeignKeysMixin, InlineModelAdmin):
    """The links of a record, as inlines of its form; each row has OWN_FIELDS."""

    extra = 0
    form = GuardedForm
    formset = LinkFormSet
    formfield_overrides = FIELD_OVERRIDES
    #: The related records that are read with the links.
    select_related: tuple[str, ...] = ()

    def links_of(self, request, record: AuditedModel) -> list[AuditedModel]:
        """The links that the person may see; none of a record that is not saved yet."""
        if record._state.adding or not self.has_view_or_change_permission(request):
            return []
        return _links(type(self), record=record.pk)

    def get_fields(self, request, obj=None):
        return [*super().get_fields(request, obj), *OWN_FIELDS]


@compiled
def _links(inline: type[LinkInlineMixin], *, record):
    owner = inline.model._meta.get_field(inline.fk_name).remote_field.model
    links = inline.model._default_manager.filter(**{str(inline.fk_name): record})
    order = inline(owner, admin.site).get_ordering(None) or ["pk"]
    return links.select_related(*inline.select_related).order_by(*order)


class LinkInline(LinkInlineMixin, admin.TabularInline):
    template = "admin/link_table.html"
