"""Every page: who gets in, that it renders what is stored as text, and that its policy holds."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import caches
from django.template import Context, Template
from django.urls import reverse
from django.utils import timezone

from infopoints.models import InformationPointCounterparty, InformationPointPipeline
from oegen import audit
from oegen.core.fields import PROSE_LIMIT, REASON_LIMIT
from oegen.models import Comment
from oegen.templatetags.oegen import UnknownIconError
from pipelines.models import PipelineFacility
from tests.support.builders import (
    PASSWORD,
    make_counterparty,
    make_information_point,
    make_pipeline,
)
from tests.support.readers import HOSTILE, PageParser, parsed

LISTS = ["pipelines", "facilities", "counterparties", "infopoints"]
RECORDS = ["pipeline", "facility", "counterparty", "informationpoint"]


@pytest.mark.parametrize("name", ["dashboard", *LISTS])
def test_list_pages_need_a_login(client, db, name):
    response = client.get(reverse(name))

    assert response.status_code == 302
    assert response.url.startswith(reverse("login"))


@pytest.mark.parametrize("name", RECORDS)
def test_record_pages_need_a_login(client, full_record, name):
    response = client.get(full_record[name].get_absolute_url())

    assert response.status_code == 302
    assert response.url.startswith(reverse("login"))


@pytest.mark.parametrize("name", ["dashboard", *LISTS])
def test_manager_reads_every_list_without_an_edit_control(as_manager, full_record, name):
    response = as_manager.get(reverse(name))

    assert response.status_code == 200
    assert "/admin/" not in response.content.decode()


def test_what_pages_share_says_the_same_after_pages_of_others(
    as_administrator, as_manager, full_record, client
):
    """What is the same on every page is drawn once by each process (oegen/base.html)."""
    pages = [
        (visitor, f"{reverse(name)}{query}")
        for visitor in (as_administrator, as_manager, client)
        for name in ("pipelines", "changes", "login")
        for query in ("", f"?as_of={timezone.localdate()}")
    ]

    def read(visitor, page: str) -> str:
        return re.sub(r'token" value="\w+"', "", visitor.get(page).content.decode())

    def read_alone(visitor, page: str) -> str:
        caches["markup"].clear()
        return read(visitor, page)

    alone = [read_alone(*page) for page in pages]
    assert [read(*page) for page in pages] == alone


@pytest.mark.parametrize("name", RECORDS)
def test_manager_reads_every_record_without_an_edit_control(as_manager, full_record, name):
    response = as_manager.get(full_record[name].get_absolute_url())

    assert response.status_code == 200
    assert str(full_record[name]) in parsed(response).text
    assert "/admin/" not in response.content.decode()


@pytest.mark.parametrize("name", RECORDS)
def test_portfolio_manager_is_led_to_the_record_s_form(
    client, portfolio_manager, full_record, name
):
    client.force_login(portfolio_manager)
    record = full_record[name]

    response = client.get(record.get_absolute_url())

    form = f"/admin/{record._meta.app_label}/{record._meta.model_name}/{record.pk}/change/"
    assert f'href="{form}?next=' in response.content.decode()
    assert client.get(form).status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_portfolio_manager_can_add_from_every_list(client, portfolio_manager, name):
    client.force_login(portfolio_manager)

    response = client.get(reverse(name))

    assert response.content.decode().count("/add/") == 2, "at the head and in the empty state"


@pytest.mark.parametrize("name", ["dashboard", *LISTS])
def test_empty_page_says_what_to_do_next(as_manager, name):
    text = parsed(as_manager.get(reverse(name))).text

    assert "yet" in text
    assert "filter has a value" not in text


def test_pipeline_page_tells_its_state_in_words(as_manager, full_record):
    text = " ".join(parsed(as_manager.get(full_record["pipeline"].get_absolute_url())).text.split())

    assert "Amber The grid offer is late." in text
    assert "1,234.5 MWp" in text
    assert "14 Mar 2027" in text
    assert "Lead developer" in text
    assert "Owner" in text
    assert "Panel prices fall" in text
    assert "Spoke to the council." in text
    assert "facility Kestrel Moor added" in text


def test_pipeline_page_says_that_a_facility_is_shared(as_manager, full_record):
    other = make_pipeline("Twin of it")
    PipelineFacility.objects.create(pipeline=other, facility=full_record["facility"])

    text = parsed(as_manager.get(full_record["pipeline"].get_absolute_url())).text

    assert "in 2 pipelines" in text


def test_counterparty_page_counts_a_pipeline_of_two_roles_once(as_manager, full_record):
    page = parsed(as_manager.get(full_record["counterparty"].get_absolute_url()))
    text = " ".join(page.text.split())

    assert "Leads, open 1,234.5 MWp 1 pipeline" in text
    assert "In any role 1,234.5 MWp 1 pipeline" in text
    assert "Lead developer, Owner" in text


def test_information_point_page_shows_rating_and_what_it_concerns(as_manager, full_record):
    text = " ".join(
        parsed(as_manager.get(full_record["informationpoint"].get_absolute_url())).text.split()
    )

    assert "Rating 4,000 of 10,000" in text
    assert "80 × 50" in text
    assert "Kestrel Moor" in text
    assert "Larch Power" in text


def test_timeline_shows_who_changed_what_when_and_why(as_manager, full_record, portfolio_manager):
    pipeline = full_record["pipeline"]
    with audit.change_set(person=portfolio_manager, reason="Council said yes"):
        pipeline.stage = type(pipeline.stage).objects.get(code="procurement")
        pipeline.save()

    html = as_manager.get(pipeline.get_absolute_url()).content.decode()
    text = " ".join(PageParser(html).text.split())

    assert "moved from Design to Procurement Council said yes Priya Shah · " in text
    assert '<time datetime="' in html


@pytest.fixture
def hostile_records(portfolio_manager):
    long = HOSTILE.ljust(PROSE_LIMIT, "W")
    with audit.change_set(person=portfolio_manager, reason=long[:REASON_LIMIT]):
        counterparty = make_counterparty(
            HOSTILE, strategy=long, aliases=long[:4_000], country="GB", company_number="<i>1</i>"
        )
        pipeline = make_pipeline(
            HOSTILE,
            capacity_mw=5,
            lead_developer=counterparty,
            rag_status="red",
            rag_comment=long,
            on_hold=True,
            on_hold_reason=long,
        )
        facility = pipeline.facilities.get()
        facility.region = HOSTILE
        facility.save()
        point = make_information_point(HOSTILE, 9, 9, description=long, market=HOSTILE)
        InformationPointPipeline.objects.create(information_point=point, pipeline=pipeline)
        InformationPointCounterparty.objects.create(
            information_point=point, counterparty=counterparty
        )
        Comment.objects.create(subject=pipeline, author=portfolio_manager, text=long)
    return [pipeline, counterparty, facility, point]


def test_hostile_text_comes_out_as_text(as_manager, hostile_records):
    addresses = [record.get_absolute_url() for record in hostile_records]
    addresses += [reverse(name) for name in ["dashboard", *LISTS]]
    # The pipeline is on hold, and its list starts with the open ones.
    shows_all = {reverse("pipelines"): {"status": "all"}}
    for address in addresses:
        response = as_manager.get(address, shows_all.get(address))
        page = parsed(response)

        assert response.status_code == 200
        assert "<script>alert" not in response.content.decode()
        assert "textarea" not in page.tags
        assert page.forbidden == []
        assert "<script>alert(1)</script> \"quoted\" 'single' {{ 7|add:7 }}" in page.text, address
    long_ones = "".join(
        parsed(as_manager.get(record.get_absolute_url())).text for record in hostile_records
    )
    assert "W" * (PROSE_LIMIT - len(HOSTILE)) in long_ones, "long text is folded, not cut"


def test_search_word_comes_back_as_text(as_manager):
    page = parsed(as_manager.get(reverse("pipelines"), {"q": f'"><script>{HOSTILE}'}))

    assert page.forbidden == []


@pytest.mark.parametrize("name", ["dashboard", *LISTS, "login"])
def test_page_has_no_inline_script_or_style(client, manager, full_record, name):
    if name != "login":
        client.force_login(manager)
    response = client.get(reverse(name))

    assert response.status_code == 200
    assert parsed(response).forbidden == []
    assert "default-src 'self'" in response["Content-Security-Policy"]


@pytest.mark.parametrize("name", RECORDS)
def test_record_page_has_no_inline_script_or_style(as_manager, full_record, name):
    assert parsed(as_manager.get(full_record[name].get_absolute_url())).forbidden == []


@pytest.mark.parametrize(
    "address",
    [
        "/nowhere/",
        "/pipelines/00000000-0000-4000-8000-000000000000/",
        "/pipelines/7/",
        "/counterparties/00000000-0000-4000-8000-000000000000/",
        "/facilities/00000000-0000-4000-8000-000000000000/",
        "/infopoints/00000000-0000-4000-8000-000000000000/",
    ],
)
def test_unknown_address_is_a_page_in_the_site_s_look(as_manager, address):
    response = as_manager.get(address)

    assert response.status_code == 404
    assert "Page not found" in parsed(response, 404).text
    assert "oegen/css/base.css" in response.content.decode()


def test_unknown_address_shows_a_stranger_no_section(client, db):
    response = client.get("/nowhere/")

    assert response.status_code == 404
    assert reverse("pipelines") not in response.content.decode()


def test_server_error_page_needs_nothing_that_may_be_broken(client, manager, monkeypatch):
    client.force_login(manager)
    client.raise_request_exception = False

    def fail(*args, **kwargs):
        raise RuntimeError("the database is on fire")

    monkeypatch.setattr("dashboard.metrics.overview", fail)
    response = client.get(reverse("dashboard"))

    assert response.status_code == 500
    text = parsed(response, 500).text
    assert "Something went wrong" in text
    assert "on fire" not in text


def test_wrong_password_is_reported_and_the_name_is_kept(client, manager):
    response = client.post(reverse("login"), {"username": "morgan", "password": "wrong"})

    assert response.status_code == 200
    assert 'value="morgan"' in response.content.decode()
    assert 'role="alert"' in response.content.decode()


def test_signing_in_leads_on_to_the_page_that_was_asked_for(client, manager):
    response = client.post(
        reverse("login"),
        {"username": "morgan", "password": PASSWORD, "next": reverse("pipelines")},
    )

    assert response.url == reverse("pipelines")


def test_signing_out_takes_a_post(as_manager):
    assert as_manager.get(reverse("logout")).status_code == 405
    assert as_manager.post(reverse("logout")).url == reverse("login")
    assert as_manager.get(reverse("dashboard")).status_code == 302


def test_healthz_answers_without_a_login(client, db):
    assert client.get("/healthz").content.startswith(b"ok\n")


def render(source: str, **context) -> str:
    return Template(source).render(Context(context))


def test_icon_is_inlined_and_hidden_from_screen_readers():
    svg = render('{% icon "sun" %}')

    assert svg.startswith("<svg") and svg.count("<path") > 1
    assert 'aria-hidden="true"' in svg


@pytest.mark.parametrize("name", ["no-such-icon", "../../package", "", "Sun"])
def test_unknown_icon_is_named_in_the_error(name):
    with pytest.raises(UnknownIconError, match="There is no icon"):
        render("{% icon name %}", name=name)


def test_unknown_icon_of_a_record_falls_back():
    assert render('{% icon name fallback="bolt" %}', name="nope") == render('{% icon "bolt" %}')


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (0, "0"),
        ("0.050", "0.05"),
        ("12.34", "12.3"),
        ("12.35", "12.4"),
        ("1234567.89", "1,234,567.9"),
    ],
)
def test_number_is_rounded_and_grouped(value, shown):
    assert render("{{ value|number }}", value=value) == shown


@pytest.mark.parametrize(
    ("days", "words"),
    [(0, "today"), (1, "in 1 day"), (-1, "1 day ago"), (1500, "in 1,500 days")],
)
def test_distance_of_a_day_is_shown_in_words(days, words):
    day = timezone.localdate() + timedelta(days=days)

    assert render("{{ day|in_days }}", day=day) == words


def test_coordinates_name_their_side():
    source = '{{ value|degrees:"EW" }}'

    assert render(source, value=Decimal("-1.890400")) == "1.8904° W"
    assert render(source, value=Decimal("9.5")) == "9.5° E"


def test_megawatts_keep_to_their_unit():
    assert render('{{ value|mw:"MWp" }}', value="1234.5") == (
        '1,234.5<span class="unit">&nbsp;MWp</span>'
    )
    assert render("{{ value|mw }}", value=None) == ""


def test_stranger_has_no_edit_link(rf, full_record):
    request = rf.get("/")
    request.user = AnonymousUser()

    assert render("{% edit_url record %}", record=full_record["pipeline"], request=request) == ""
