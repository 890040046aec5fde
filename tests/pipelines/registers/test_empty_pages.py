"""The pages of registers before any edition was read."""

import pytest
from django.urls import reverse


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["competitors", "registers", "register-projects", "benchmarks"])
def test_pages_without_an_edition_say_what_to_do(as_manager, name):
    response = as_manager.get(reverse(name))
    assert response.status_code == 200
    assert "edition" in response.content.decode()
