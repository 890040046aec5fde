"""Requests to typed addresses: to public hosts only, by a real HTTPS server on loopback."""

import gzip
import time
from ipaddress import ip_address, ip_network

import pytest

from oegen.core import outbound
from oegen.core.global_addresses import is_global
from tests.support.https_receiver import (
    NAME,
    HttpsReceiver,
    drip,
    drip_headers,
    names_lead_to,
    respond,
)

PUBLIC = "93.184.216.34"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with HttpsReceiver(tmp_path_factory.mktemp("receiver")) as receiver:
        yield receiver


@pytest.fixture
def receiver(server, settings, monkeypatch):
    """The server as one inside the company, whose network and authority are configured."""
    server.requests.clear()
    server.answers.clear()
    with server.is_inside(settings, monkeypatch) as server.looked_up:
        yield server


# Which addresses -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", [PUBLIC, "2606:2800:220:1::1", "2002:5db8:d822::", "64:ff9b::808:808"]
)
def test_public_addresses_are_global(address):
    assert is_global(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "192.0.0.9", "192.88.99.1"),
        *("0.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "fec0::1", "ff02::1", "ff0e::1"),
        *("::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::6440:1"),
        *("64:ff9b:1::808:808", "2002:7f00:1::", "2002:e000:1::", "2002:6440:1::"),
        *("2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "3fff::1", "5f00::1", "4000::1"),
        "2606:2800:220:1::1%eth0",
    ],
)
def test_what_only_some_can_reach_is_not_global(address):
    assert not is_global(ip_address(address))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.com/", "does not begin with https://"),
        ("file:///etc/passwd", "does not begin with https://"),
        ("https:///path", "does not begin with https://"),
        ("https://me:secret@example.com/", "a username or a password"),
        ("https://example.com@10.0.0.1/", "a username or a password"),
        ("https://example.com\\@10.0.0.1/", "a backslash"),
        ("https://exa mple.com/", "a space"),
        ("https://example.com/\r\nX-Evil: 1", "an invisible character"),
        ("https://example.com/\u202egnp", "an invisible character"),
        ("https://example.com:0/", "the port 0"),
        ("https://example.com:65536/", "host or port is wrong"),
        ("https://[::1/", "host or port is wrong"),
        ("https://[fe80::1%25eth0]/", "an address with a zone"),
        ("https://[v1.x]/", "is no IP address"),
        ("https://exa%6dple.com/", "host name"),
        ("https://-a.example/", "host name"),
        ("https://a..example/", "host name"),
        ("https://straße.example/", "“xn--”"),
        ("https://１２７.0.0.1/", "“xn--”"),
        ("https://127.1/", "is no IP address"),
        ("https://0x7f000001/", "is no IP address"),
        ("https://2130706433/", "is no IP address"),
        ("https://0177.0.0.1/", "is no IP address"),
        ("https://127.0.0.1/", "is no public address"),
        ("https://127.0.0.1./", "is no public address"),
        ("https://[::ffff:169.254.169.254]/", "is no public address"),
        ("https://[fe80::1%eth0]/", "an address with a zone"),
    ],
)
def test_an_address_that_may_not_be_asked_says_why(url, words):
    with pytest.raises(outbound.RefusedError, match=words) as caught:
        outbound.parse_url(url)
    assert "secret" not in str(caught.value)


def test_names_are_asked_in_ascii():
    assert outbound.parse_url("https://Bücher.Example.:8443/ä?q=1+2%20").url == (
        "https://xn--bcher-kva.example:8443/%C3%A4?q=1+2%20"
    )
    assert outbound.parse_url("https://[2606:2800:220:1::1]:443?a").url == (
        "https://[2606:2800:220:1::1]/?a"
    )


@pytest.mark.parametrize("addresses", [["10.0.0.1"], [PUBLIC, "127.0.0.1"], [PUBLIC, "fe80::1"]])
def test_a_name_with_one_private_address_is_refused_unasked(monkeypatch, addresses):
    def connect(*args):
        raise AssertionError("It was asked.")

    monkeypatch.setattr("socket.socket.connect", connect)
    with (
        names_lead_to(monkeypatch, lambda name: addresses),
        pytest.raises(outbound.RefusedAddressError, match=f"leads to {addresses[-1]}. .* public"),
    ):
        outbound.request("GET", "https://receiver.example/")


def test_a_mapped_address_is_compared_with_the_allowed_networks(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = (ip_network("10.20.0.0/16"), ip_network("fd12::/16"))
    allowed = ["10.20.0.1", "::ffff:10.20.0.1", "fd12::1"]
    refused = ["10.21.0.1", "::ffff:127.0.0.1", "fd13::1", "127.0.0.1"]
    assert [one for one in allowed + refused if outbound.is_allowed(ip_address(one))] == allowed


# The connection ------------------------------------------------------------------------------


def test_a_receiver_inside_the_company_gets_the_request(receiver, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    response = outbound.request(
        "POST", receiver.url("/hook?a=1"), headers={"Webhook-Id": "7"}, body=b"{}"
    )
    assert (response.status, response.body) == (200, b"ok")
    [(method, path, headers, body)] = receiver.requests
    assert (method, path, body) == ("POST", "/hook?a=1", b"{}")
    assert (headers["Host"], headers["webhook-id"]) == (f"{NAME}:{receiver.port}", "7")


def test_the_name_is_resolved_once_and_its_address_pinned(receiver, monkeypatch):
    """A second answer of DNS, to another address, is never asked for."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    with names_lead_to(monkeypatch, lambda name: next(answers)) as looked_up:
        assert outbound.request("GET", receiver.url()).status == 200
    assert looked_up == [NAME]


def test_a_dead_address_leaves_time_for_the_next(receiver, monkeypatch):
    with names_lead_to(monkeypatch, lambda name: ["127.255.255.254", "127.0.0.1"]):
        assert outbound.request("GET", receiver.url()).status == 200


def test_a_certificate_for_another_name_is_refused(receiver):
    with pytest.raises(outbound.CertificateError, match=r"other.example.* is not valid: Hostname"):
        outbound.request("GET", receiver.url(host="other.example"))
    assert receiver.requests == []


def test_an_unknown_authority_is_refused(receiver, settings):
    settings.OUTBOUND_CA_BUNDLE = None
    with pytest.raises(outbound.CertificateError, match="OUTBOUND_CA_BUNDLE") as caught:
        outbound.request("GET", receiver.url())
    assert not caught.value.may_have_arrived


def test_an_unknown_name_and_a_closed_port_are_unreachable(receiver, monkeypatch):
    with (
        names_lead_to(monkeypatch, lambda name: []),
        pytest.raises(outbound.UnreachableError, match="No address is known for the name"),
    ):
        outbound.request("GET", receiver.url())
    with pytest.raises(outbound.UnreachableError, match=r"No connection to receiver\.example:1 "):
        outbound.request("GET", f"https://{NAME}:1/")


# Limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [drip, drip_headers])
def test_bytes_now_and_then_do_not_extend_the_deadline(receiver, answer):
    receiver.answers["/"] = answer
    start = time.monotonic()
    with pytest.raises(outbound.DeadlineError, match=r"within 0.3 seconds") as caught:
        outbound.request("GET", receiver.url(), seconds=0.3)
    assert time.monotonic() - start < 1
    assert caught.value.may_have_arrived


def test_a_resolver_that_hangs_ends_with_the_deadline(receiver, monkeypatch):
    def find(name):
        receiver.is_over.wait(5)
        return []

    with (
        names_lead_to(monkeypatch, find),
        pytest.raises(outbound.DeadlineError) as caught,
    ):
        outbound.request("GET", receiver.url(), seconds=0.1)
    assert not caught.value.may_have_arrived


@pytest.mark.parametrize(
    "answer",
    [
        respond(200, b"x" * 1_001),
        respond(200, b"x" * 1_001, Content_Length=None),
        respond(200, gzip.compress(b"\0" * 1_001), Content_Encoding="gzip"),
        respond(200, gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip"),
        respond(200, gzip.compress(b"x") + b"x" * 1_000, Content_Encoding="gzip"),
    ],
    ids=["announced", "unannounced", "packed", "bomb", "tail"],
)
def test_a_body_over_the_limit_is_not_read_to_its_end(receiver, answer):
    receiver.answers["/"] = answer
    with pytest.raises(outbound.TooLargeError, match="more than 1,000 bytes") as caught:
        outbound.request("GET", receiver.url(), max_bytes=1_000)
    assert (caught.value.status, caught.value.may_have_arrived) == (200, True)


@pytest.mark.parametrize(
    "answer",
    [
        respond(200, b"x" * 1_000),
        respond(200, gzip.compress(b"x" * 1_000), Content_Encoding="gzip"),
    ],
)
def test_a_body_of_exactly_the_limit_is_read(receiver, answer):
    receiver.answers["/"] = answer
    assert outbound.request("GET", receiver.url(), max_bytes=1_000).body == b"x" * 1_000


@pytest.mark.parametrize(
    "answer",
    [
        respond(200, b"half", Content_Length="8"),
        respond(200, gzip.compress(b"x" * 99)[:-9], Content_Encoding="gzip"),
        respond(200, b"no gzip", Content_Encoding="gzip"),
        respond(200, b"?", Content_Encoding="br"),
        respond(200, b"zz\r\n", Content_Length=None, Transfer_Encoding="chunked"),
        lambda handler: handler.wfile.write(b"\x00 this is no HTTP\r\n\r\n"),
        lambda handler: None,
    ],
    ids=["short", "short gzip", "no gzip", "br", "chunks", "no http", "nothing"],
)
def test_a_broken_answer_is_no_response(receiver, answer):
    receiver.answers["/"] = answer
    with pytest.raises(outbound.BadAnswerError) as caught:
        outbound.request("GET", receiver.url())
    assert caught.value.may_have_arrived


# Redirects -----------------------------------------------------------------------------------

SECRETS = {"Authorization": "Bearer s3cret", "X-Key": "s3cret", "Accept": "text/csv"}


def test_a_redirect_is_refused_unless_the_caller_allows_it(receiver):
    receiver.answers["/old"] = respond(302, Location="/new")
    with pytest.raises(outbound.RedirectError, match=r"redirects \(302\), which is not followed"):
        outbound.request("GET", receiver.url("/old"))
    response = outbound.request("GET", receiver.url("/old"), max_redirects=1)
    assert (response.body, response.url) == (b"ok", receiver.url("/new"))


def test_redirects_end(receiver):
    receiver.answers["/"] = respond(301, Location="/")
    with pytest.raises(outbound.RedirectError, match="more than 2 times"):
        outbound.request("GET", receiver.url(), max_redirects=2)
    assert len(receiver.requests) == 3


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://receiver.example/", "does not begin with https://"),
        ("https://10.0.0.1/", "10.0.0.1 is no public address"),
        ("https://me@receiver.example/", "a username"),
    ],
)
def test_a_hop_is_checked_like_the_first_address(receiver, location, words):
    receiver.answers["/"] = respond(307, Location=location)
    with pytest.raises(outbound.RedirectError, match=words):
        outbound.request("GET", receiver.url(), max_redirects=5)


def test_a_hop_to_a_name_with_a_private_address_is_refused(receiver, monkeypatch):
    receiver.answers["/"] = respond(302, Location=receiver.url(host=f"inner.{NAME}"))
    with (
        names_lead_to(
            monkeypatch, lambda name: ["127.0.0.1" if name == NAME else "169.254.169.254"]
        ) as looked_up,
        pytest.raises(outbound.RefusedAddressError, match=f"inner.{NAME} leads to 169.254"),
    ):
        outbound.request("GET", receiver.url(), max_redirects=5)
    assert looked_up == [NAME, f"inner.{NAME}"]


def test_another_origin_gets_no_header_with_a_secret(receiver):
    receiver.answers["/"] = respond(302, Location=receiver.url("/new", host=f"other.{NAME}"))
    receiver.answers["/new"] = respond(302, Location=receiver.url("/back"))
    outbound.request("GET", receiver.url(), headers=SECRETS, max_redirects=2)
    assert ["s3cret" in str(headers) for _, _, headers, _ in receiver.requests] == [
        True,
        False,
        False,
    ]
    assert all("text/csv" in str(headers) for _, _, headers, _ in receiver.requests)


@pytest.mark.parametrize(
    ("status", "expected"), [(302, ("GET", b"")), (303, ("GET", b"")), (307, ("POST", b"data"))]
)
def test_the_method_and_the_body_of_a_redirected_request(receiver, status, expected):
    receiver.answers["/"] = respond(status, Location="/new")
    outbound.request(
        "POST",
        receiver.url(),
        headers={**SECRETS, "Content-Type": "text/plain"},
        body=b"data",
        max_redirects=1,
    )
    method, _, headers, body = receiver.requests[1]
    assert (method, body) == expected
    assert ("text/plain" in str(headers)) == bool(body)
    assert "Bearer s3cret" in str(headers)


def test_a_body_is_not_sent_on_to_another_origin(receiver):
    receiver.answers["/"] = respond(308, Location=receiver.url(host=f"other.{NAME}"))
    with pytest.raises(outbound.RedirectError, match=r"redirects what is sent to other\.receiver"):
        outbound.request("POST", receiver.url(), body=b"data", max_redirects=1)
    assert len(receiver.requests) == 1
