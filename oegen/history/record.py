"""The history pages of one record, existing or removed, and its state at each entry."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Exists, ForeignKey, Model, OuterRef, Q
from django.http import Http404
from django.urls import resolve, reverse
from django.utils.functional import cached_property
from django.utils.text import Truncator, capfirst
from django.views.generic import TemplateView, View
from django.views.generic.base import ContextMixin

from oegen import audit
from oegen.audit.audited import AuditedModel
from oegen.audit.narrative import timeline
from oegen.audit.narrative.names import NameCache
from oegen.audit.revert import restoring
from oegen.audit.revert.steps import Step, parent_key
from oegen.core.compiled import compiled, records_by_key
from oegen.core.fields import own_field
from oegen.history.stream import changing, entries, recorded_between, stream
from oegen.history.trail import THE_SYSTEM, written_by
from oegen.pages.filters import DayFilter, PageFilterSet
from oegen.pages.lists import FilteredPage
from oegen.pages.selection import NOTHING, Selection, SelectionFilter
from oegen.people.comments import Comment
from oegen.people.models import User
from oegen.people.requests import SignedInRequest

PAGE_SIZE = 50


def get_model_or_404(kind: str) -> type[AuditedModel]:
    for model in audit.tracked_models():
        if model._meta.model_name == kind:
            return model
    raise Http404(f"There is no kind of record called “{kind}”.")


def may_apply(person: User, model: type[AuditedModel], steps: list[Step]) -> bool:
    """Whether the person may apply all steps; without steps, whether they may change records."""
    change = f"{model._meta.app_label}.change_{model._meta.model_name}"
    return person.has_perms(set().union(*(step.permissions for step in steps)) or {change})


@dataclass(frozen=True)
class Fact:
    label: str
    text: str
    is_empty: bool
    #: Whether the displayed entry changed it.
    is_changed: bool = False


@dataclass(frozen=True)
class LinksOfKind:
    plural: str
    texts: tuple[str, ...]


class HistoryPage(ContextMixin, View):
    """The base of pages about one record's history; 404 for a record without history."""

    request: SignedInRequest

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.model = get_model_or_404(kwargs["kind"])
        self.key = kwargs["pk"]
        self.rows = self.model.history.filter(id=self.key)
        newest = _newest(self.model, key=self.key)
        if not newest:
            raise Http404("There is no record with this id, and there never was one.")
        self.live = records_by_key(self.model, [self.key]).get(self.key)
        #: The record; if it was removed, an unsaved instance with its last values.
        self.record = self.live or audit.instance_from_row(newest[0])

    @cached_property
    def removal(self) -> timeline.Entry | None:
        if self.live is not None:
            return None
        return next(iter(timeline.removal_of(self.model, self.key)), None)

    @cached_property
    def owner(self) -> tuple[type[AuditedModel], Any] | None:
        """The parent of a link or the subject of a comment, as (model, key)."""
        return parent_key(self.model, self.record)

    @cached_property
    def names(self) -> NameCache:
        names = NameCache(self.known_records)
        names.prefetch_for(self.model, self.record)
        return names

    @property
    def known_records(self) -> list[AuditedModel]:
        return [self.live] if self.live else []

    @property
    def name(self) -> str:
        if isinstance(self.record, Comment):
            return f"Comment “{Truncator(self.record.text).chars(60)}”"
        if self.owner:
            return capfirst(self.model.describe_link(self.record, self.names))
        return str(self.record)

    @property
    def record_section(self) -> str:
        """The section of the site with the record's page."""
        model, _ = self.owner or (self.model, self.key)
        if not hasattr(model, "get_absolute_url"):
            return "changes"
        view: Any = resolve(model(id=self.key).get_absolute_url()).func
        return view.view_class.section

    def get_context_data(self, **kwargs):
        owner = None
        if self.owner:
            model, key = self.owner
            owner = {
                "name": self.names.get(model, key),
                "history": reverse("history", args=[model._meta.model_name, key]),
            }
        return super().get_context_data(**kwargs) | {
            "section": self.record_section,
            "name": self.name,
            "is_of_comment": self.model is Comment,
            "noun": str(self.model._meta.verbose_name),
            "owner": owner,
            "page_url": self.names.url(self.model, self.key),
            "history_url": self.history_url,
            "is_removed": self.live is None,
            "removal": self.removal,
        }

    @property
    def history_url(self) -> str:
        return reverse("history", args=[self.model._meta.model_name, self.key])

    def may_bring_back(self) -> bool:
        if self.removal is None or self.model.IS_COPY:
            return False
        row = self.rows.get(history_id=self.removal.history_id)
        steps = restoring.steps_to(self.model, self.key, row)
        return may_apply(self.request.user, self.model, steps)


# Every entry ------------------------------------------------------------------------------------


class RecordFilter(PageFilterSet):
    """Filters the entries of the record's timeline: its own, its links' and its comments'."""

    primary = ("field", "person", "since", "until")
    ranges = (("since", "until"),)

    field = SelectionFilter("What changed", (), empty_label="Anything", has_counts=False)
    person = SelectionFilter("Who", (), empty_label="Anybody", has_counts=False)
    since = DayFilter("history_date", "gte", "From")
    until = DayFilter("history_date", "lte", "Until")

    def __init__(self, data=None, queryset=None, *, record: AuditedModel, **kwargs):
        super().__init__(data, queryset, **kwargs)
        self.record = record
        self.sources = record.timeline_sources()
        self.filters["field"].extra["choices"] = self._field_choices()
        self.filters["person"].extra["choices"] = self._person_choices()

    def _field_choices(self) -> list[tuple[str, str]]:
        """The record's fields, then the models of its links and comments."""
        fields = [
            (field.name, capfirst(str(field.verbose_name)))
            for field in self.record._meta.concrete_fields
            if field.name not in self.record.BOOKKEEPING
        ]
        models = [source.model.instance_type for source in self.sources[1:]]
        return fields + [(one._meta.label_lower, _plural(one)) for one in models]

    def _person_choices(self) -> list[tuple[str, str]]:
        """The users in the record's history, by name. Their entries are counted with them, for a
        page that shows all of them."""
        found = _numbers_by_person(type(self.record), key=self.record.pk)
        self.number_of_all = sum(number for _, number in found)
        known = {key for key, _ in found}
        self.people = records_by_key(User, known - {None})
        people = sorted(self.people.values(), key=str)
        system = [(THE_SYSTEM, "The system")] if None in known else []
        return system + [(str(one.pk), str(one)) for one in people]

    @property
    def qs(self):
        if not self.active_values:
            return self.queryset  # The page reads all entries by itself.
        values = self.form.cleaned_data if self.is_bound and self.is_valid() else {}
        return stream([self._filtered(rows, values) for rows in self.sources])

    def _filtered(self, rows, values):
        rows = recorded_between(rows, values.get("since"), values.get("until"))
        rows = written_by(rows, values.get("person") or NOTHING)
        return self._about(rows, values.get("field") or NOTHING)

    def _about(self, rows, selection: Selection):
        """The rows that match the selection of fields of the record, by name, and of link models,
        by label."""
        if rows.model.instance_type is not type(self.record):
            return (
                rows
                if selection.allows(rows.model.instance_type._meta.label_lower)
                else rows.none()
            )
        if selection.included:
            rows = rows.filter(self._changes(rows, selection.included))
        return rows.filter(~self._changes(rows, selection.excluded)) if selection.excluded else rows

    def _changes(self, rows, codes) -> Q:
        """The condition for the record's own rows that changed one of the fields."""
        condition = Q(pk__in=[])
        for code in codes:
            if "." not in code:
                field = own_field(type(self.record), code)
                changed = changing(rows.model.objects.all(), field.attname)
                condition |= Q(Exists(changed.filter(history_id=OuterRef("history_id"))))
        return condition


class RecordHistory(HistoryPage, FilteredPage):
    template_name = "oegen/history/record.html"
    state_template_name = "oegen/history/record_entries.html"
    filterset_class = RecordFilter

    def get_queryset(self):
        return self.model.history.all()

    def get_filterset_kwargs(self, filterset_class):
        return super().get_filterset_kwargs(filterset_class) | {"record": self.record}

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        is_filtered = bool(self.filterset.active_values)
        found = self.object_list if is_filtered else range(self.filterset.number_of_all)
        page = Paginator(found, PAGE_SIZE).get_page(self.request.GET.get("page"))
        if is_filtered:
            keys = page.object_list
        else:
            keys = _stream(self.model, page.start_index(), page.end_index(), key=self.key)
        known = [*self.known_records, *self.filterset.people.values()]
        return context | {
            "singular": "entry",
            "plural": "entries",
            "page": page,
            "total": page.paginator.count,
            "entries": entries(keys, self.filterset.sources, known),
            "record_key": self.key,
            "brings_back": self.may_bring_back(),
        }


# What the pages ask -----------------------------------------------------------------------------


@compiled
def _newest(model, *, key):
    return model.history.filter(id=key).order_by("-history_date", "-history_id")[:1]


@compiled
def _numbers_by_person(model, *, key):
    """Of each source of the record's timeline, the number of rows by user."""
    first, *others = [
        rows.order_by().values_list("history_user").annotate(Count("pk"))
        for rows in model(id=key).timeline_sources()
    ]
    return first.union(*others, all=True).order_by()


@compiled
def _stream(model, first, last, *, key):
    """The KEYs of entries of the record's timeline, from one to another, counted from 1."""
    return stream(model(id=key).timeline_sources())[max(first - 1, 0) : last]


# One entry --------------------------------------------------------------------------------------


def _plural(model: type[Model]) -> str:
    return capfirst(str(model._meta.verbose_name_plural))


def facts_of(
    model: type[AuditedModel], row, names: NameCache, changed: Collection[str] = ()
) -> list[Fact]:
    """The formatted fields of a record or history row."""
    facts = []
    for field in model._meta.concrete_fields:
        if field.name in model.BOOKKEEPING:
            continue
        value = getattr(row, field.attname)
        text = timeline.display(field, row, names)
        is_empty = value is None or value == ""
        label = capfirst(str(field.verbose_name))
        facts.append(Fact(label, text, is_empty, field.name in changed))
    return facts


def links_at(model: type[AuditedModel], key: Any, row) -> list[LinksOfKind]:
    """The record's links as of its history row, formatted and grouped by model."""
    names = NameCache()
    texts: dict[type[AuditedModel], list[str]] = {
        link: []
        for link, name in model.link_models()
        if link.SHOW_IN_FEED and name == link.PARENT_FIELD
    }
    parts = restoring.link_rows_at(model, key, row)
    for part in parts:
        names.prefetch_for(part.instance_type, part)
    for part in parts:
        texts[part.instance_type].append(_describe_link(part, names))
    return [
        LinksOfKind(_plural(_linked(link)), tuple(sorted(lines))) for link, lines in texts.items()
    ]


def _linked(link: type[AuditedModel]) -> type[Model]:
    """The model to which a link's first foreign key other than its parent refers."""
    keys = (field for field in link._meta.concrete_fields if isinstance(field, ForeignKey))
    return next(key.remote_field.model for key in keys if key.name != link.PARENT_FIELD)


def _describe_link(part, names: NameCache) -> str:
    """The linked record, with the values of the link itself, such as a share."""
    link = part.instance_type
    values = [
        f"{field.verbose_name} {timeline.display(field, part, names)}"
        for field in link._meta.concrete_fields
        if field.name not in link.BOOKKEEPING and not field.is_relation
        if getattr(part, field.attname) not in (None, "")
    ]
    return ", ".join([link.describe_link(part, names), *values])


class EntryPage(HistoryPage):
    """The base of pages about the record's state at one entry."""

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.row = self.rows.filter(history_id=kwargs["entry"]).first()
        if self.row is None:
            raise Http404("The history of this record has no such entry.")

    @cached_property
    def entry(self) -> timeline.Entry:
        return timeline.entries_by_ids(self.model, [self.row.history_id])[0]

    @cached_property
    def steps(self) -> list[Step]:
        """The steps to restore this state. Raises Http404 if the removal was not recorded."""
        if self.live is None and self.removal is None:
            raise Http404("This record is gone, and its history does not say how.")
        return restoring.steps_to(self.model, self.key, self.row)

    def may_restore(self) -> bool:
        is_fixed = self.model.IS_COPY or self.model.is_append_only
        return not is_fixed and may_apply(self.request.user, self.model, self.steps)

    def get_context_data(self, **kwargs):
        self.names.prefetch_for(self.model, self.row)
        changed = {change.name for change in self.entry.changes}
        return super().get_context_data(**kwargs) | {
            "entry": self.entry,
            "facts": facts_of(self.model, self.row, self.names, changed),
            "links_then": links_at(self.model, self.key, self.row),
        }


class HistoryEntry(EntryPage, TemplateView):
    template_name = "oegen/history/entry.html"
    request: SignedInRequest

    def get_context_data(self, **kwargs):
        here = Q(history_date=self.row.history_date)
        earlier = Q(history_date__lt=self.row.history_date) | here & Q(
            history_id__lt=self.row.history_id
        )
        older = self.rows.filter(earlier).order_by("-history_date", "-history_id")
        newer = self.rows.exclude(earlier).exclude(history_id=self.row.history_id)
        is_lost = self.live is None and self.removal is None
        return super().get_context_data(**kwargs) | {
            "place": older.count() + 1,
            "total": self.rows.count(),
            "older": older.first(),
            "newer": newer.order_by("history_date", "history_id").first(),
            "is_current": not is_lost and not self.steps,
            "restores": not is_lost and bool(self.steps) and self.may_restore(),
        }
