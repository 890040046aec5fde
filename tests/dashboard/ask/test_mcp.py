"""The address for assistants: the official client over HTTP, and what it refuses."""

import json
from concurrent.futures import ThreadPoolExecutor

import anyio
import httpx2
import pytest
from django.test import Client as DjangoClient
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from dashboard.ask import mcp
from dashboard.ask.lookups import LOOKUPS
from dashboard.models import AskedQuestion
from oegen.api.scopes import Scope
from pipelines.models import Facility
from tests.support.builders import make_contact, make_pipeline, make_token

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@pytest.fixture
def post(db, portfolio_manager):
    """Sends a message by a token with these scopes."""

    def post(message, *scopes, origin="", version="2025-11-25", **headers):
        _, secret = make_token(portfolio_manager, scopes=scopes or [Scope.ASK])
        given = {"Authorization": f"Bearer {secret}", "MCP-Protocol-Version": version, **headers}
        given |= {"Origin": origin} if origin else {}
        body = message if isinstance(message, str) else json.dumps(message)
        return DjangoClient().post(
            "/mcp",
            body,
            content_type="application/json",
            headers={name: value for name, value in given.items() if value},
        )

    return post


def call(tool, /, **arguments):
    params = {"name": tool, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


@pytest.mark.parametrize(("mode", "version"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
def test_official_client_looks_up(transactional_db, live_server, portfolio_manager, mode, version):
    make_pipeline("Solana", capacity_mw=100, rag_status="red")
    _, secret = make_token(portfolio_manager, scopes=[Scope.ASK])

    async def look():
        headers = {"Authorization": f"Bearer {secret}"}
        async with httpx2.AsyncClient(headers=headers) as http:
            transport = streamable_http_client(f"{live_server.url}/mcp", http_client=http)
            async with Client(transport, mode=mode) as client:
                tools = await client.list_tools()
                found = await client.call_tool("metric", {"name": "open-capacity"})
                refused = await client.call_tool("metric", {"name": "made-up"})
                unknown = await client.call_tool("drop_table", {})
                return client.protocol_version, tools.tools, found, (refused, unknown)

    # In a thread, because a test in the browser leaves a loop of events to this one.
    with ThreadPoolExecutor(1) as thread:
        spoken, tools, found, refused = thread.submit(anyio.run, look).result()
    assert spoken == version
    assert {one.name for one in tools} == {*LOOKUPS}
    assert all(one.annotations.read_only_hint for one in tools)
    figure = found.structured_content["figures"][0]
    assert figure["text"] == "100 MWp"
    assert figure["link"].startswith("http://127.0.0.1")
    assert json.loads(found.content[0].text) == found.structured_content
    for answer, words in zip(refused, ("There is no figure", "There is no lookup"), strict=True):
        assert answer.is_error
        assert words in answer.content[0].text
    asked = AskedQuestion.objects.order_by("created_at").first()
    assert (asked.person, asked.via) == (portfolio_manager, "program")
    assert asked.figures["f1"]["text"] == "100 MWp"


def test_token_with_the_scope_is_needed_and_cookies_count_for_nothing(post, as_manager):
    assert post(PING).json() == {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert post(PING, Scope.READ).status_code == 403
    assert "lacks the scope “ask”" in post(PING, Scope.READ).json()["error"]["message"]
    for headers in ({}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer oegen_wrong"}):
        answer = as_manager.post("/mcp", PING, content_type="application/json", headers=headers)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer ")


def test_pages_of_other_sites_are_refused(post, settings):
    for origin in ("https://evil.example", "null", "http://localhost.evil.example"):
        answer = post(PING, origin=origin)
        assert answer.status_code == 403
    answer = post(PING, origin=settings.BASE_URL)
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert not answer.cookies
    assert post(PING, Host="evil.example").status_code == 400


def test_only_post_is_answered(as_manager):
    for method in ("get", "delete", "put", "options"):
        answer = getattr(as_manager, method)("/mcp")
        assert (answer.status_code, answer["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{not json", 400, -32700),
        ("[]", 400, -32600),
        ("[" * 100_000, 400, -32700),
        ('{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": "\\ud800"}', 400, -32700),
        ('{"id": 1, "method": "ping"}', 400, -32600),
        ('{"jsonrpc": "2.0", "id": 1, "method": "resources/list"}', 200, -32601),
        ('{"jsonrpc": "2.0", "id": 1, "method": "tools/call"}', 200, -32602),
        ('{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}', 200, -32602),
    ],
)
def test_faulty_messages_are_told_what_is_wrong(post, body, status, code):
    answer = post(body)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code


def test_notifications_get_no_answer(post):
    answer = post({"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert (answer.status_code, answer.content) == (202, b"")


def test_revisions_are_agreed_on(post):
    def initialize(version):
        params = {
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        }
        message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        return post(message, version="").json()["result"]["protocolVersion"]

    assert initialize("2025-06-18") == "2025-06-18"
    assert initialize("2025-11-25") == "2025-11-25"
    assert initialize("2024-11-05") == "2025-11-25"
    answer = post(PING, version="2024-11-05")
    assert answer.status_code == 400
    assert answer.json()["error"]["data"]["supported"] == ["2025-06-18", "2025-11-25", "2026-07-28"]


def test_arguments_are_refused_in_words_and_nothing_is_written(post):
    for arguments in (
        {"kind": "pipeline", "filters": {"password": "x"}},
        {"kind": "user"},
        {"kind": "pipeline", "filters": "q=%00"},
        {"kind": "pipeline", "limit": 10**9},
        {"kind": ["pipeline"], "filters": 5},
        {"kind": "pipeline", "filters": {"q": "a\x00b"}},
        {"kind": "pipeline", "order": "stage__name"},
    ):
        result = post(call("records", **arguments)).json()["result"]
        assert result["isError"] is True, arguments
        assert len(result["content"][0]["text"]) > 10
    assert post(call("a\x00b")).json()["result"]["isError"] is True


def test_people_are_there_with_the_scope_personal_only(post, portfolio_manager):
    make_contact("Ann Birch")
    larch = make_pipeline("Larch", capacity_mw=10, responsible=portfolio_manager)
    larch.rag_comment = "Priya Shah asked Ann Birch."
    larch.save()
    lookups = [
        call("record", kind="pipeline", id=str(larch.pk)),
        call("records", kind="pipeline", filters={"responsible": ["priya"]}),
        call("records", kind="changes", **{"from": "2020-01-01"}),
        call("records", kind="contact"),
        call("find", name="Birch"),
        call("records", kind="audit"),
    ]
    without = "".join(post(one).text for one in lookups)
    assert "Ann Birch" not in without
    assert "Priya" not in without
    assert "Larch" in without
    with_it = "".join(post(one, Scope.ASK, Scope.PERSONAL).text for one in lookups)
    assert "Ann Birch" in with_it
    assert "Priya Shah" in with_it
    listed = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    assert "priya" not in post(listed).text


def test_tool_gives_what_the_page_shows(post, client, portfolio_manager):
    make_pipeline("Solana", capacity_mw=100)
    make_pipeline("Vetrov", capacity_mw=40, technology="onshore-wind")
    Facility.objects.filter(name="Solana").update(country="ES")
    found = post(call("metric", name="open-capacity", group_by="country")).json()["result"]
    figures = found["structuredContent"]["figures"]
    assert [one["text"] for one in figures][:2] == ["140 MW", "100 MW"]
    client.force_login(portfolio_manager)
    page = client.get(figures[1]["link"].replace("http://127.0.0.1:8000", ""))
    assert "Solana" in page.text
    assert "Vetrov" not in page.text


def test_without_the_package_the_address_says_so(post, monkeypatch):
    monkeypatch.setattr(mcp, "PACKAGE", "no_such_package")
    answer = post(PING)
    assert answer.status_code == 501
    assert "requirements/mcp.txt" in answer.json()["error"]["message"]
