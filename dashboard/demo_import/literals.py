"""A safe parser for printed Python values; nothing is executed.

The demo stored dicts and lists by printing them. The text is parsed into a syntax tree. Accepted
are dicts with string keys, lists, strings, numbers, True, False, None, a minus sign, and
``datetime.datetime(<integers>, tzinfo=datetime.timezone.utc)``; everything else is rejected.
"""

import ast
import warnings
from datetime import UTC, datetime

LENGTH_LIMIT = 20_000
DEPTH_LIMIT = 6


class LiteralError(ValueError):
    """The text is not an accepted value. The message is shown to users."""


def parse_literal(text: str):
    """Parse the text. Raises LiteralError."""
    if len(text) > LENGTH_LIMIT:
        raise LiteralError(f"it is longer than {LENGTH_LIMIT:,} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise LiteralError("it is not written as a Python value") from None
    return _value(tree.body, 0)


def _value(node: ast.expr, depth: int):
    if depth > DEPTH_LIMIT:
        raise LiteralError(f"it is nested more than {DEPTH_LIMIT} deep")
    match node:
        case ast.Constant(value=None | bool() | int() | float()):
            return node.value
        case ast.Constant(value=str(text)):
            return _text(text)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.List():
            return [_value(item, depth + 1) for item in node.elts]
        case ast.Dict() if None not in node.keys:
            keys = [_value(key, depth + 1) for key in node.keys if key]
            if not all(isinstance(key, str) for key in keys):
                raise LiteralError("a key in it is no text")
            if len(set(keys)) < len(keys):
                raise LiteralError("a key in it is there twice")
            values = [_value(value, depth + 1) for value in node.values]
            return dict(zip(keys, values, strict=True))
        case ast.Call():
            return _datetime(node)
    raise LiteralError(f"it holds {_name(node)}, which is never run or looked up")


def _text(value: str) -> str:
    if "\x00" in value:
        raise LiteralError("a text in it holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise LiteralError("a text in it holds half a character") from None
    return value


def _name(node: ast.expr) -> str:
    names = {"Call": "a call", "Name": "a name", "Attribute": "an attribute"}
    return names.get(type(node).__name__, "an expression")


def _datetime(node: ast.Call) -> datetime:
    """The datetime of a call that is written as Python prints it."""
    numbers = [
        item.value
        for item in node.args
        if isinstance(item, ast.Constant) and type(item.value) is int
    ]
    is_datetime = (
        isinstance(node.func, ast.Attribute)
        and node.func.attr == "datetime"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "datetime"
    )
    if not is_datetime or len(numbers) != len(node.args) or not all(map(_is_utc, node.keywords)):
        raise LiteralError("it holds a call other than datetime.datetime(...), which is never run")
    try:
        # Naive without a zone: the demo stored plain days that way. A wrong number of arguments
        # raises TypeError.
        return datetime(*numbers, tzinfo=UTC if node.keywords else None)  # type: ignore[arg-type, misc]
    except (TypeError, ValueError, OverflowError):
        raise LiteralError("a date in it is no date") from None


def _is_utc(keyword: ast.keyword) -> bool:
    match keyword:
        case ast.keyword(
            arg="tzinfo",
            value=ast.Attribute(
                attr="utc",
                value=ast.Attribute(attr="timezone", value=ast.Name(id="datetime")),
            ),
        ):
            return True
    return False
