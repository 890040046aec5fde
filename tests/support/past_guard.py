"""A guard that fails a test which reads a current table inside ``as_of``."""

import re
from functools import cache

from oegen import audit
from oegen.core import clock
from oegen.models import SearchDocument


class UnquotedTableError(AssertionError):
    pass


@cache
def _unquoted() -> re.Pattern:
    """Matches the unquoted name of a tracked table or of its history."""
    models = [*audit.tracked_models(), *map(audit.history_model, audit.tracked_models())]
    names = "|".join(model._meta.db_table for model in (*models, SearchDocument))
    return re.compile(rf'(?<![\w"]){"(?:" + names + ")"}(?![\w"])')


def past_guard(execute, sql, params, many, context):
    """An execute wrapper for the database connection."""
    if clock.past_day() and (found := _unquoted().search(sql)):
        raise UnquotedTableError(
            f"{found[0]} is named without quotes, so that it is the present's table: "
            f"name it by oegen.asof.table.\n{sql}"
        )
    return execute(sql, params, many, context)
