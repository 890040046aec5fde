"""A history in which records are referred to before their own entries begin: every page of every
day opens, names everything, and counts only what was there."""

import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse

from counterparties.models import Counterparty
from dashboard import metrics
from infopoints.models import InformationPointCounterparty
from oegen import audit
from oegen.asof import as_of
from oegen.core import clock
from pipelines.models import Pipeline, PipelineCounterparty, PipelineFacility, Technology
from tests.dashboard.demo_import import DEMO
from tests.permissions.test_permissions import PAGES
from tests.support.addresses import address_of
from tests.support.builders import make_counterparty, make_facility, make_pipeline, make_portfolio

pytestmark = pytest.mark.django_db

FIRST = datetime(2024, 1, 10, 12, tzinfo=UTC)

#: What is no page of a day.
PRESENT_ONLY = (
    *("admin", "healthz", "login", "logout", "unsubscribe", "me/", "comments/", "webhooks/"),
    *("api/", "odata/", "mcp", "warehouse/"),
)
ACTIONS = ("move/", "undo/", "restore/", "thumb/", "answer/")
#: What only serves a change, which nobody may make on a past day.
FOR_CHANGES = (
    *("merge/", "people/names/", "people/told/", "edit/rag/", "milestones/rtb/"),
    "together/confirm/",
)


def tell(instance, when: datetime) -> None:
    """Add an entry with a date of its own, as an import of somebody's audit does."""
    with audit.change_set(reason="Told", source=audit.Source.IMPORT) as current:
        row = audit.history_row(instance, audit.CREATED, change_set=current, when=when)
        row.version = 0
        row.save()
        current.note_written(type(row), [row.id])


def days_around(models) -> list:
    """Each day on which something happened to records, the day before and the day after."""
    today = clock.today()
    found = set()
    for model in models:
        moments = model.history.exclude(change_set__source=audit.Source.MIGRATION)
        for when in moments.values_list("history_date", flat=True):
            found |= {when.date() + timedelta(days=days) for days in (-1, 0, 1)}
    return sorted(day for day in found if day < today)


def open_every_page(client, addresses, day) -> None:
    for address in addresses:
        joint = "&" if "?" in address else "?"
        answer = client.get(f"{address}{joint}as_of={day}", follow=True)
        if answer.streaming:
            b"".join(answer.streaming_content)
        expected = (403,) if address.endswith(FOR_CHANGES) else (200, 404)
        if address.endswith(("duplicates/", "registers/review/")):
            expected = (400,)  # Of today only.
        assert answer.status_code in expected, (address, day)


def test_every_page_opens_whatever_the_order_of_the_entries(client, portfolio_manager):
    rng = random.Random(1)
    records = make_portfolio(portfolio_manager)
    for model in audit.tracked_models():
        if model in records or model.PARENT_FIELD:
            for one in model.objects.order_by("pk"):
                is_set_up = model.is_vocabulary() and one not in records.values()
                if not is_set_up and rng.random() < 0.7:
                    tell(one, FIRST + timedelta(days=rng.randint(0, 3)))
    client.force_login(portfolio_manager)
    routes = [
        route
        for route, answers in PAGES.items()
        if "GET" in answers and not route.startswith(PRESENT_ONLY) and not route.endswith(ACTIONS)
    ]
    addresses = {address_of(route, records) for route in routes}
    days = [FIRST.date() + timedelta(days=number) for number in range(-1, 4)]
    addresses |= {f"{reverse('changes')}?from={days[0]}", f"{reverse('pipelines')}?download=csv"}
    for day in days:
        open_every_page(client, sorted(addresses), day)
        with (
            metrics.portfolio(Pipeline.objects.all, day - timedelta(days=1)) as before,
            metrics.portfolio(Pipeline.objects.all, day, before=before) as then,
        ):
            assert metrics.walk(before, then).residual == 0, day


@pytest.mark.heavy
def test_every_past_day_of_imported_files_opens(client, portfolio_manager, tmp_path, settings):
    settings.VAR_DIR = tmp_path
    call_command("import_demo_csv", DEMO, apply=True, verbosity=0)
    client.force_login(portfolio_manager)
    names = ("dashboard", "changes", "pipelines", "counterparties")
    addresses = [reverse(name) for name in names]
    days = days_around([Pipeline, PipelineCounterparty, Counterparty])
    for day in days:
        open_every_page(client, addresses, day)
        with as_of(day):
            held = set(PipelineCounterparty.objects.values_list("counterparty", flat=True))
            assert held <= set(Counterparty.objects.recorded().values_list("pk", flat=True)), day
    assert len(days) > 8


def test_an_import_begins_a_history_where_the_audit_first_refers_to_it(tmp_path, settings):
    settings.VAR_DIR = tmp_path
    call_command("import_demo_csv", DEMO, apply=True, verbosity=0)
    for model in (PipelineCounterparty, InformationPointCounterparty):
        for link in model.history.filter(history_type=audit.CREATED):
            entries = Counterparty.history.filter(id=link.counterparty_id)
            entries = entries.order_by("history_date", "history_id")
            if entries:
                assert entries[0].history_date <= link.history_date
                assert [row.history_type for row in entries].count(audit.CREATED) == 1
    call_command("audit_check", verbosity=0)


class TestReferredToEarly:
    """Acme leads Kestrel on the first day; its own history begins today."""

    @pytest.fixture
    def kestrel(self):
        kestrel = make_pipeline("Kestrel", capacity_mw=40, lead_developer=make_counterparty("Acme"))
        for one in (
            kestrel,
            kestrel.facilities.get(),
            *PipelineFacility.objects.all(),
            *PipelineCounterparty.objects.all(),
        ):
            tell(one, FIRST)
        acme = Counterparty.objects.get()
        acme.name = "Acme Renewables"
        acme.save()
        return kestrel

    def test_it_is_named_as_it_was_first_entered(self, kestrel, client, portfolio_manager):
        client.force_login(portfolio_manager)
        day = FIRST.date()
        for address in (kestrel.get_absolute_url(), reverse("pipelines"), reverse("dashboard")):
            html = client.get(address, {"as_of": day, "tab": "counterparties"}).text
            assert ">Acme<" in html, address
            assert "Acme Renewables" not in html
        csv = client.get(reverse("pipelines"), {"as_of": day, "download": "csv"})
        assert b"Acme" in b"".join(csv.streaming_content)

    def test_its_own_page_opens_and_says_so(self, kestrel, client, portfolio_manager):
        client.force_login(portfolio_manager)
        acme = Counterparty.objects.get()
        html = client.get(acme.get_absolute_url(), {"as_of": FIRST.date()}).text
        entered = f"{clock.today():%-d %b %Y}"
        assert f"which was entered on {entered}" in html
        assert "Kestrel" in html
        assert "which was entered on" not in client.get(acme.get_absolute_url()).text
        before = {"as_of": FIRST.date() - timedelta(days=1)}
        assert client.get(acme.get_absolute_url(), before).status_code == 404

    def test_no_list_and_no_search_of_the_day_has_it(self, kestrel, client, portfolio_manager):
        client.force_login(portfolio_manager)
        day = FIRST.date()
        answer = client.get(reverse("counterparties"), {"as_of": day})
        assert answer.context["total"] == 0
        names = client.get(reverse("counterparty-names"), {"q": "acme", "as_of": day})
        assert names.json() == {"names": []}
        assert client.get(reverse("search"), {"q": "acme", "as_of": day}).context["total"] == 0

    def test_a_project_that_is_only_referred_to_is_in_no_figure(self, kestrel):
        early = make_pipeline("Early", capacity_mw=70)
        link = PipelineFacility.objects.get(pipeline=early)
        tell(link, FIRST)
        with as_of(FIRST.date()), metrics.portfolio(Pipeline.objects.all) as then:
            assert metrics.headline(then).open.capacity.mw == 40
            assert set(Pipeline.objects.recorded()) == {kestrel}

    def test_what_it_refers_to_itself_is_there_too(self, kestrel):
        """A technology that was added last of all."""
        wave = Technology.objects.create(name="Wave", code="wave", capacity_basis="ac")
        link = PipelineFacility.objects.create(
            pipeline=kestrel, facility=make_facility(technology="wave", capacity_mw=5)
        )
        tell(link, FIRST)
        with as_of(FIRST.date()), metrics.portfolio(Pipeline.objects.all) as then:
            groups = {one.technology: one.total for one in metrics.by_technology(then)}
            assert groups[wave].capacity.mw == 5

    def test_the_check_of_the_history_remarks_on_it(self, kestrel, capsys):
        call_command("audit_check")
        output = capsys.readouterr().out
        assert re.search(r"Remark: Counterparty “Acme” .* was entered on .* 2024-01-10", output)
        assert "Nothing found" in output


def test_changes_of_a_past_day_show_who_and_why_though_they_were_entered_later(
    client, portfolio_manager
):
    client.force_login(portfolio_manager)
    tell(make_pipeline("Kestrel"), FIRST)
    day = FIRST.date()
    answer = client.get(reverse("changes"), {"as_of": day})
    assert answer.status_code == 200
    assert "Told" in answer.text
    number = audit.history_model(Pipeline).objects.earliest("history_date").change_set.number
    assert client.get(reverse("change-set", args=[number]), {"as_of": day}).status_code == 200
    assert client.get(reverse("latest-changes"), {"as_of": day}).context["days"] == []
