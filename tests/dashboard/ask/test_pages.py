"""The pages of questions: with and without scripts, as of past days, and for others."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from counterparties.models import Counterparty
from dashboard.ask import answering, changing
from dashboard.ask.changing import chips_of, decoded
from dashboard.ask.grammar import read
from dashboard.ask.lookups import Asker
from dashboard.ask.starters import starters
from dashboard.models import AskedQuestion
from infopoints.models import InformationPoint
from oegen.people import roles
from pipelines.models import Pipeline
from tests.support.builders import make_pipeline, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client, asker):
    client.force_login(asker.person)
    return client


@pytest.fixture
def lines(signed_in):
    """lines(question, …): what the panel gets."""

    def lines(question: str, **values: str) -> list[dict]:
        data = {"q": question, "on": "/", "turn": "t1", **values}
        answer = signed_in.post("/ask/answer/", data)
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/x-ndjson"
        return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]

    return lines


def html_of(parts: list[dict], place: str) -> str:
    return "".join(part["html"] for part in parts if part["place"] == place)


def test_the_page_answers_without_scripts(signed_in):
    html = signed_in.get("/ask/?q=how+many+MW+of+solar+are+open").text

    assert 'href="/pipelines/?status=open&amp;technology=solar"' in html
    assert "Read by rules, without a model" in html
    asked = AskedQuestion.objects.get()
    assert (asked.question, asked.page) == ("how many MW of solar are open", "/")


def test_the_panel_gets_the_answer_part_by_part(lines):
    parts = lines("open MW by technology")

    assert [part["place"] for part in parts] == ["status", "reading", "body", "body", "foot"]
    assert 'data-chart="ask-t1-1-data"' in html_of(parts, "body")
    assert parts[-1]["asked"] == str(AskedQuestion.objects.get().pk)
    follow_up = lines("what needs attention", conversation=parts[-1]["conversation"])
    assert follow_up[-1]["conversation"] == parts[-1]["conversation"]


def test_a_question_on_a_past_page_is_of_its_day(lines, signed_in):
    parts = lines("how many MW are open", on="/pipelines/?as_of=2025-02-28")

    assert "as_of=2025-02-28" in html_of(parts, "body")
    assert str(AskedQuestion.objects.get().day) == "2025-02-28"
    html = signed_in.get("/ask/?q=how+many+MW+are+open&on=/&as_of=2025-02-28").text
    assert "As of 28 Feb 2025" in html


def test_what_is_not_understood_is_named(lines):
    parts = lines("how many zebras are open")

    assert "<mark>zebras</mark>" in html_of(parts, "reading")
    assert "Read by rules" not in html_of(parts, "foot")


def test_a_chip_asks_in_another_way(lines, asker):
    question = "how many MW of solar are red"
    chips = chips_of(read(question, asker).as_json(), question, asker)
    solar = next(chip for chip in chips if chip.text == "Solar")
    wind = next(other for other in solar.others if other.label == "Offshore wind")
    query = parse_qs(urlsplit(wind.url).query)

    parts = lines(question, reading=query["reading"][0])

    assert "technology=offshore-wind" in html_of(parts, "body").replace("&amp;", "&")
    assert "Offshore wind" in html_of(parts, "reading")
    assert AskedQuestion.objects.get().reading["filters"] == "rag=red&technology=offshore-wind"


@pytest.mark.parametrize("reading", ["", "lookup=drop", "lookup=refused", "x" * 5000, "=&=&%00"])
def test_an_address_with_no_reading_is_asked_as_it_is(reading):
    assert decoded(reading) is None


def test_a_reading_that_is_none_is_refused_in_a_sentence(lines):
    parts = lines("open MW", reading="lookup=metric&metric=nothing&filters=colour%3Dred")

    assert "There is no figure “nothing”" in html_of(parts, "body")


def test_every_question_that_is_offered_is_read(asker):
    pages = ["/", "/report/", "/changes/", "/pipelines/", "/counterparties/", "/facilities/"]
    pages += ["/infopoints/", "/milestones/", "/audit/", "/nowhere/"]
    for model in (Pipeline, Counterparty, InformationPoint):
        pages.append(model.objects.first().get_absolute_url())
    pages.append("/pipelines/?technology=solar&rag=red")
    for page in pages:
        who = Asker(asker.person, page=page)
        offered = starters(who)
        assert offered, page
        for one in offered:
            if one.reading:
                reading = decoded(changing.encoded(one.reading))
                assert answering.answer_reading("", reading, who).found
            else:
                assert one.is_brief or read(one.question, who).is_read, (page, one.question)


def test_a_question_on_a_filtered_page_can_be_of_its_filters(asker):
    who = Asker(asker.person, page="/pipelines/?technology=solar&rag=red&page=2")
    reading = read("how many MW are open in Germany", who).as_json()

    [chip] = [one for one in chips_of(reading, "?", who) if one.label == "of"]
    [other] = chip.others
    assert (chip.text, other.label) == (
        "the whole portfolio",
        "this page: Technology Solar, RAG Red",
    )
    changed = decoded(parse_qs(urlsplit(other.url).query)["reading"][0])
    assert changed.filters == "country=DE&rag=red&technology=solar"
    assert not [one for one in chips_of(changed.as_json(), "?", who) if one.label == "of"]


def test_a_brief_is_recorded_and_has_a_link(lines, signed_in):
    parts = lines("Brief me")

    assert "<h4>What needs attention</h4>" in html_of(parts, "body")
    asked = AskedQuestion.objects.get()
    assert asked.figures
    assert "<h4>What needs attention</h4>" in signed_in.get(asked.get_absolute_url()).text


def test_others_see_of_an_answer_what_they_may(lines, client):
    lines("is Gannet Swell on track?")
    asked = AskedQuestion.objects.get()
    client.force_login(make_user(roles.MANAGERS, "morgan"))

    page = client.get(asked.get_absolute_url())

    assert "Gannet Swell Offshore Wind" in page.text
    assert "Priya Shah" in page.text
    assert "data-ask-thumb" not in page.text
    assert client.post(f"{asked.get_absolute_url()}thumb/", {"thumb": "up"}).status_code == 404


def test_thumbs_are_kept_and_taken_back(lines, signed_in):
    lines("how many MW are open")
    asked = AskedQuestion.objects.get()
    for thumb, status in (("up", 204), ("sideways", 400), ("", 204)):
        before = AskedQuestion.objects.get().thumbs
        answer = signed_in.post(f"{asked.get_absolute_url()}thumb/", {"thumb": thumb})
        assert answer.status_code == status
        expected = thumb if status == 204 else before
        assert AskedQuestion.objects.get().thumbs == expected


def test_what_is_typed_into_the_palette_can_be_asked(signed_in):
    page = "/pipelines/?technology=solar"
    html = signed_in.get("/search/suggest/", {"q": "red solar in Germany", "on": page}).text

    last = html.rpartition('role="option"')[2]
    assert "Ask: red solar in Germany" in last
    assert "Pipelines · Country Germany · RAG Red · Status Open" in last
    assert "Brief me" in signed_in.get("/search/suggest/", {"q": "brief", "on": page}).text


def test_a_hostile_name_stays_text(lines):
    make_pipeline("<img src=x> {f1}", rag_status="red", capacity_mw=9000)

    html = html_of(lines("biggest five projects"), "body")

    assert "&lt;img src=x&gt;" in html
    assert "<img" not in html
