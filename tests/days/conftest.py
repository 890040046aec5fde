from tests.admin.conftest import desk  # noqa: F401
