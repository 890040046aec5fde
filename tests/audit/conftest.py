import pytest

from oegen.integrity import Check


@pytest.fixture
def findings():
    """What audit_check finds now, as sentences."""

    def findings() -> list[str]:
        return [str(finding) for finding in Check().findings()]

    return findings
