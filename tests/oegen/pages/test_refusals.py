"""The pages that say no, in the site's look."""

from logging.config import DictConfigurator

import pytest
from django.conf import settings
from django.urls import reverse

from oegen.alerts import delivery
from tests.support.readers import parsed


@pytest.mark.django_db
class TestRefusals:
    def test_unknown_address(self, client, manager):
        client.force_login(manager)
        response = client.get("/pipelines/00000000-0000-4000-8000-000000000000/")

        assert response.status_code == 404
        assert "There is nothing at this address" in parsed(response, 404).text

    def test_what_could_not_be_understood(self, client, manager):
        client.force_login(manager)
        response = client.post("/pipelines/", {"do": "choose_page_size", "page_size": "7"})

        assert response.status_code == 400
        assert "This could not be understood" in parsed(response, 400).text

    def test_method_that_an_address_does_not_take(self, client, manager):
        client.force_login(manager)
        response = client.get(reverse("logout"))

        assert response.status_code == 405
        assert response["Allow"]
        assert "Not to be opened like that" in parsed(response, 405).text

    def test_method_that_an_address_does_not_take_is_short_for_programs(self, client, manager):
        client.force_login(manager)
        response = client.get(reverse("logout"), headers={"accept": "application/json"})

        assert response.status_code == 405
        assert response.content == b""

    def test_a_refusal_is_one_line_of_the_log_and_a_failure_keeps_its_traceback(
        self, client, manager, caplog, monkeypatch
    ):
        client.force_login(manager)
        client.raise_request_exception = False
        monkeypatch.setattr(delivery, "status_lines", lambda: 1 / 0)
        line = DictConfigurator(settings.LOGGING).configure_formatter(
            settings.LOGGING["formatters"]["line"]
        )

        def logged(address: str) -> tuple[int, list[str]]:
            caplog.clear()
            status = client.get(address).status_code
            (text,) = map(line.format, caplog.records)
            return status, text.splitlines()

        status, lines = logged("/admin/pipelines/pipeline/")
        assert (status, len(lines)) == (403, 1)
        assert lines[0].endswith(
            "WARNING django.request: Forbidden (Permission denied): /admin/pipelines/pipeline/"
        )
        status, lines = logged("/healthz")
        assert status == 500
        assert "ZeroDivisionError: division by zero" in lines
