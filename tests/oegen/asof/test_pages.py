"""Pages of the past: they say so, lead on in the past, and change nothing."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone

from oegen import asof, audit
from oegen.core.clock import ReadOnlyPastError
from oegen.models import Comment
from pipelines.models import Pipeline
from tests.support.builders import make_counterparty, make_pipeline

pytestmark = pytest.mark.usefixtures("db")

DAY = date(2026, 3, 10)

#: The dashboard of DAY leads to what was open then, too.
COMPARED = date(2026, 2, 10)


@pytest.fixture
def at(monkeypatch):
    """Set the clock."""

    def at(day: date, hour: int = 12):
        moment = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
        monkeypatch.setattr(timezone, "now", lambda: moment)

    return at


@pytest.fixture
def kestrel(at, portfolio_manager):
    """Kestrel as of DAY; renamed, reassigned and commented on the day after."""
    at(DAY)
    kestrel = make_pipeline("Kestrel", capacity_mw=40, lead_developer=make_counterparty("Acme"))
    at(DAY + timedelta(days=1))
    kestrel.project_name = "Rowan"
    kestrel.save()
    kestrel.counterparty_links.all().delete()
    Comment.objects.create(subject=kestrel, text="Said later", author=portfolio_manager)
    facility = kestrel.facilities.get()
    facility.capacity_mw = 98765
    facility.save()
    at(DAY + timedelta(days=5))
    return kestrel


@pytest.fixture
def reader(client, portfolio_manager, kestrel):
    client.force_login(portfolio_manager)
    return client


def test_record_page_shows_the_record_and_its_links_as_they_were(reader, kestrel):
    html = reader.get(kestrel.get_absolute_url(), {"as_of": DAY}).text
    assert "As of 10 Mar 2026." in html
    assert "Kestrel" in html
    assert "Acme" in html
    assert "Rowan" not in html
    assert "Said later" not in html
    assert "98,765" not in html


def test_today_shows_no_banner(reader, kestrel):
    html = reader.get(kestrel.get_absolute_url()).text
    assert "As of" not in re.sub(r"<[^>]+>", " ", html)
    assert "Rowan" in html


#: Attributes with an address to which the script that reads it adds the rest and the day.
PREFIXES = {"data-facility", "data-pipeline", "data-edit-dialog"}
#: Of what past pages do not offer: moves, and a box for comments.
POSTED = {"data-move", "data-undo", "data-people", "data-told", "data-edit", "data-bulk", "hx-post"}


def ways_on(html: str) -> list[tuple[str, str]]:
    """Every attribute with an address of this site that knows a past, and that address."""
    present = ("/static/", "/admin/", "/logout/")
    found = re.findall(r'\s([a-z-]+)="(/[^"]*)"', html)
    return [
        (name, way)
        for name, way in found
        if name not in {*PREFIXES, *POSTED, "aria-keyshortcuts"}
        and not way.startswith(present)
        and is_address(way)
    ]


def is_address(text: str) -> bool:
    try:
        return bool(resolve(text.partition("?")[0].partition("#")[0]))
    except Resolver404:
        return False


def test_a_past_page_counts_from_its_day(reader, kestrel):
    """One clock: what is told as so long ago is so long before the day that is shown."""
    html = reader.get(kestrel.get_absolute_url(), {"as_of": DAY + timedelta(days=3)}).text
    moments = re.findall(r'<time [^>]*><span class="d-print-none">([^<]*)</span>', html)
    days = {"3 days, 12 hours ago", "2 days, 12 hours ago"}
    # What is stamped by the database's own clock came after that day: it is told as a date.
    assert {one.replace("\xa0", " ") for one in moments if one.endswith("ago")} == days
    texts = {
        path: path.read_text()
        for path in Path(settings.BASE_DIR).glob("*/templates/**/*")
        if path.suffix == ".html"
    }
    clocks = re.compile(r"\|\s*(?:timesince|timeuntil|naturaltime|naturalday)|[{]% now ")
    assert {path.name for path, text in texts.items() if clocks.search(text)} <= {
        "dashboard.html",  # Where no day is looked at, in the heading.
        "day_choice.html",  # The last day that can be chosen.
        "report.html",  # The day it was made on.
    }


def test_a_day_that_cannot_be_shown_keeps_the_way_on(reader):
    html = reader.get(reverse("pipelines"), {"as_of": "2027-01-01"}).text
    assert 'aria-label="Sections"' in html
    assert "lies in the future" in html


def test_every_attribute_with_an_address_is_known(reader, kestrel):
    """In all templates: what is there but is not told to asof would lead to the present."""
    given = re.compile(r"""\s([a-z-]+)=["'][^"'<>]*\{% url """)
    texts = [path.read_text() for path in Path(settings.BASE_DIR).glob("*/templates/**/*.html")]
    found = {name for text in texts for name in given.findall(text)}
    assert len(texts) > 90
    assert found - PREFIXES - POSTED <= set(asof.URL_ATTRIBUTES)
    lists = ("pipelines", "facilities", "counterparties", "contacts", "infopoints")
    for name in (*lists, "map", "timeline"):
        shown = {name for name, _ in ways_on(reader.get(reverse(name), {"as_of": DAY}).text)}
        assert shown <= set(asof.URL_ATTRIBUTES)
        assert {"href", "hx-get"} <= shown


def test_scripts_have_no_address_of_their_own():
    """They take it from the page, which keeps the day."""
    scripts = [
        script
        for app in apps.get_app_configs()
        if Path(app.path).parent == settings.BASE_DIR
        for script in Path(app.path).glob("static/**/*.js")
    ]
    assert scripts
    assert [path for path in scripts if re.search(r"""["'`]/[a-z]""", path.read_text())] == []


def test_names_are_suggested_of_the_day(reader):
    html = reader.get(reverse("pipelines"), {"as_of": DAY}).text
    (suggest,) = re.findall(r'data-suggest="([^"]*)"', html)
    assert suggest == f"{reverse('counterparty-names')}?as_of={DAY}"
    make_counterparty("Acme of today")
    assert reader.get(f"{suggest}&q=acme").json() == {"names": ["Acme"]}


@pytest.mark.parametrize(
    "name", ["dashboard", "pipelines", "board", "timeline", "map", "search", "changes"]
)
def test_every_way_on_keeps_the_day(reader, name):
    html = reader.get(reverse(name), {"as_of": DAY, "q": "kestrel"}).text
    known = [way for _, way in ways_on(html)]
    forms = re.findall(r'<form[^>]*method="get"[^>]*>(?:<input[^>]*>)?', html)
    tags = re.findall(r'<form[^>]*method="get"[^>]*>', html)
    in_forms = re.findall(r'\s(?:action|hx-get)="(/[^"]*)"', " ".join(tags))
    kept = (f"as_of={DAY}", f"as_of={COMPARED}")
    lost = [way for way in known if not any(day in way for day in kept) and way not in in_forms]
    assert len(known) > 10
    assert lost == []
    assert forms and all(f'name="as_of" value="{DAY}"' in form for form in forms)


def test_nothing_offers_a_change(reader, kestrel):
    html = reader.get(kestrel.get_absolute_url(), {"as_of": DAY}).text
    assert "/admin/" not in html
    assert "Add a comment" not in html
    assert "/admin/" in reader.get(kestrel.get_absolute_url()).text


def test_a_form_sent_to_the_past_is_refused_in_words(reader, kestrel):
    answer = reader.post(f"{kestrel.get_absolute_url()}?as_of={DAY}", {"text": "Hello"})
    assert answer.status_code == 400
    assert "can only be read" in answer.text
    assert Comment.objects.filter(text="Hello").count() == 0


def test_program_code_cannot_write_to_the_past(kestrel):
    with asof.as_of(DAY):
        then = Pipeline.objects.get(pk=kestrel.pk)
        then.project_name = "Changed"
        with pytest.raises(ReadOnlyPastError, match="10 Mar 2026 can only be read"):
            then.save()
        with pytest.raises(ReadOnlyPastError):
            Pipeline.objects.update(project_name="Changed")
        with pytest.raises(ReadOnlyPastError):
            Pipeline.objects.all().delete()
    assert Pipeline.objects.get().project_name == "Rowan"


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        ("yesterday", "is no day. Write it as 2026-02-13."),
        ("2026-02-30", "is no day"),
        ("<script>", "&lt;script&gt;"),
        ("2026-04-01", ">1 Apr 2026 lies in the future"),
        ("0000-00-00", "is no day"),
        ("0001-01-01", "Nothing is known from before 1 Jan 2000"),
    ],
)
def test_a_wrong_day_is_reported(reader, day, sentence):
    answer = reader.get(reverse("pipelines"), {"as_of": day})
    assert answer.status_code == 400
    assert sentence in answer.text


@pytest.mark.parametrize("day", ["2000-01-01", "2019-12-31"])
def test_before_the_first_record_everything_is_empty(reader, day):
    for name in ("dashboard", "pipelines", "board", "map", "search", "changes"):
        assert reader.get(reverse(name), {"as_of": day}).status_code == 200


def test_a_record_that_was_not_there_yet_is_reported(reader, kestrel):
    answer = reader.get(kestrel.get_absolute_url(), {"as_of": DAY - timedelta(days=1)})
    assert answer.status_code == 404
    assert "There was nothing at this address on 9 Mar 2026" in answer.text


def test_a_record_removed_since_is_shown(reader, kestrel):
    address = kestrel.get_absolute_url()
    kestrel.delete()
    assert reader.get(address).status_code == 404
    assert "Kestrel" in reader.get(address, {"as_of": DAY}).text


def test_search_finds_by_the_names_of_the_day(reader):
    assert "<mark>Kestrel</mark>" in reader.get("/search/", {"q": "kestrel", "as_of": DAY}).text
    assert "<mark>Rowan</mark>" not in reader.get("/search/", {"q": "rowan", "as_of": DAY}).text


def test_a_download_is_of_the_day_and_named_for_it(reader):
    answer = reader.get(reverse("pipelines"), {"as_of": DAY, "download": "csv"})
    assert b"Kestrel" in b"".join(answer.streaming_content)
    assert "pipelines-2026-03-10.csv" in answer["Content-Disposition"]
    answer = reader.get(reverse("pipelines"), {"as_of": DAY, "download": "xlsx"})
    assert b"".join(answer.streaming_content).startswith(b"PK")


def test_afterwards_the_present_is_read_again(reader, kestrel):
    reader.get(kestrel.get_absolute_url(), {"as_of": DAY})
    assert Pipeline.objects.get().project_name == "Rowan"
    with pytest.raises(ZeroDivisionError), asof.as_of(DAY):
        assert Pipeline.objects.get().project_name == "Kestrel"
        raise ZeroDivisionError
    assert Pipeline.objects.get().project_name == "Rowan"


def test_the_end_of_a_day_is_midnight_in_london(at, kestrel):
    summer = date(2026, 7, 1)
    at(summer, 22)  # 23:00 in London
    kestrel.project_name = "Before midnight"
    kestrel.save()
    at(summer, 23)  # 0:00 on 2 July
    kestrel.project_name = "After midnight"
    kestrel.save()
    with asof.as_of(summer):
        assert Pipeline.objects.get().project_name == "Before midnight"
    with asof.as_of(summer + timedelta(days=1)):
        assert Pipeline.objects.get().project_name == "After midnight"


@pytest.mark.usefixtures("transactional_db")
def test_a_download_that_is_broken_off_leaves_no_past_behind(reader, kestrel, monkeypatch):
    monkeypatch.setattr("oegen.exports.files.CHUNK", 1)
    make_pipeline("Kestrel two")
    make_pipeline("Kestrel three")
    answer = reader.get(reverse("pipelines"), {"as_of": DAY + timedelta(days=5), "download": "csv"})
    chunks = iter(answer.streaming_content)
    next(chunks)
    next(chunks)
    answer.close()
    kestrel.project_name = "Today"
    kestrel.save()
    assert Pipeline.objects.filter(project_name="Today").exists()


def test_dashboard_of_a_past_day_includes_at_once_what_was_entered_later(reader, at):
    """As an import of somebody's own audit does."""
    address = reverse("dashboard"), {"as_of": DAY}
    assert reader.get(*address).context["status_text"] == "1 open, 40.0 MW"

    reported = make_pipeline("Told", capacity_mw=None)
    moment = datetime(DAY.year, DAY.month, DAY.day, 9, tzinfo=UTC)
    with audit.change_set() as current:
        row = audit.history_row(reported, audit.CREATED, change_set=current, when=moment)
        row.save()
        current.note_written(type(row), [row.id])

    assert reader.get(*address).context["status_text"] == "2 open, 40.0 MW"
