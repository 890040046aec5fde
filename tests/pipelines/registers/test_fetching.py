"""Fetching editions: recorded answers of publishers, served on loopback over HTTPS."""

from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from oegen.core.outbound import RedirectError
from oegen.jobs.models import State
from pipelines.registers.editions.fetching import NoEditionError, fetch_newest, find_newest
from pipelines.registers.models import Edition, Register
from tests.support.https_receiver import HttpsReceiver, respond
from tests.support.jobs import run_job
from tests.support.registers import repd_rows, write_table

pytestmark = pytest.mark.django_db

ANSWERS = Path(__file__).parent / "answers"


@pytest.fixture
def publisher(tmp_path, settings, monkeypatch):
    with HttpsReceiver(tmp_path) as server, server.is_inside(settings, monkeypatch):
        yield server


@pytest.fixture
def repd(publisher):
    Register.objects.update(index_url="")
    register = Register.objects.get(code="repd")
    register.index_url = publisher.url("/publications/repd")
    register.save()
    answer = (ANSWERS / "repd-publication.html").read_bytes()
    publisher.answers["/publications/repd"] = respond(200, answer)
    return register


@pytest.fixture
def table(tmp_path):
    return write_table(tmp_path / "file.csv", repd_rows({}, {"Ref ID": "102"})).read_bytes()


FILE = "/media/678/repd-q4-jan-2025.csv"


def test_newest_edition_is_found_fetched_and_not_sent_again(publisher, repd, table):
    publisher.answers[FILE] = respond(200, table, ETag='"one"')
    fetched = fetch_newest(repd, source="command")
    assert fetched.is_new
    edition = Edition.objects.get()
    assert (edition.date, edition.file_name, edition.rows) == (
        date(2025, 1, 31),
        "repd-q4-jan-2025.csv",
        2,
    )
    publisher.answers[FILE] = respond(304)
    assert not fetch_newest(repd, source="command").is_new
    assert publisher.requests[-1][2]["if-none-match"] == '"one"'


def test_catalogue_names_the_newest_table(publisher):
    tec = Register.objects.get(code="tec")
    tec.index_url = publisher.url("/datapackage")
    answer = (ANSWERS / "tec-datapackage.json").read_bytes()
    publisher.answers["/datapackage"] = respond(200, answer)
    found = find_newest(tec)
    assert (found.date, found.url.rpartition("/")[2]) == (date(2024, 10, 11), "tec-register.csv")


@pytest.mark.parametrize(
    ("code", "answer", "sentence"),
    [
        ("repd", respond(200, b"<p>Nothing here</p>"), "names no edition"),
        ("mastr", respond(200, b'<a href="/Gesamt_20241011.zip">all</a>'), "Export the units"),
        ("tec", respond(503), "answered 503"),
        ("tec", respond(200, b"{]"), "names no edition"),
    ],
)
def test_publisher_without_an_edition_is_told_in_words(publisher, code, answer, sentence):
    register = Register.objects.get(code=code)
    register.index_url = publisher.url("/index")
    publisher.answers["/index"] = answer
    with pytest.raises(NoEditionError, match=sentence):
        find_newest(register)


def test_at_most_five_redirects_are_followed(publisher, repd, table):
    for hop in range(6):
        publisher.answers[f"/hop{hop}"] = respond(302, Location=f"/hop{hop + 1}")
    publisher.answers["/publications/repd"] = respond(302, Location="/hop2")
    publisher.answers["/hop6"] = respond(200, (ANSWERS / "repd-publication.html").read_bytes())
    assert find_newest(repd).date == date(2025, 1, 31)
    publisher.answers["/publications/repd"] = respond(302, Location="/hop0")
    with pytest.raises(RedirectError, match="more than 5 times"):
        find_newest(repd)


def test_job_writes_what_it_can_and_tries_again_for_what_it_could_not_reach(publisher, repd, table):
    publisher.answers[FILE] = respond(200, table)
    tec = Register.objects.get(code="tec")
    tec.index_url = "https://127.0.0.1:1/nowhere"
    tec.save()
    job = run_job("fetch-registers")
    assert job.state == State.WAITING
    assert "Transmission Entry Capacity register: No connection" in job.error
    assert Edition.objects.count() == 1


def test_command_reads_files_and_says_what_is_missing(repd, table, tmp_path, capsys):
    path = tmp_path / "repd-2024-07.csv"
    path.write_bytes(table)
    call_command("ingest", "repd", str(path))
    assert "edition of 31 Jul 2024: 2 projects." in capsys.readouterr().out
    call_command("ingest", "repd", str(path), "--edition", "2024-07-31")
    assert "it is here already" in capsys.readouterr().out
    path = path.rename(tmp_path / "repd.csv")
    for arguments, sentence in (
        (["repd", str(path)], "Add --edition"),
        (["nowhere"], "There is no register “nowhere”. There are: repd, tec, mastr"),
        (["mastr"], "no index address"),
        (["repd", str(tmp_path / "none-2024-07.csv")], "Nothing was written"),
        (["repd", "http://publisher.example/repd-2024-07.csv"], "https"),
    ):
        with pytest.raises(CommandError, match=sentence):
            call_command("ingest", *arguments)
