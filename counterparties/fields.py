"""Identifiers of companies in public registers."""

import re

from oegen.core.fields import LineField
from oegen.core.text import clean_line

_SHAPE = re.compile(r"[A-Z0-9]{18}[0-9]{2}")


def has_right_check_digits(lei: str) -> bool:
    """ISO 7064, MOD 97-10, as ISO 17442 uses it: letters count from 10 (A) to 35 (Z)."""
    return int("".join(str(int(character, 36)) for character in lei)) % 97 == 1


class LEIField(LineField):
    """Legal entity identifier, stored in capital letters."""

    @staticmethod
    def clean_text(value: str) -> str:
        return clean_line(value).upper().replace(" ", "")

    def text_error(self, value: str) -> str:
        if not value:
            return ""
        if not _SHAPE.fullmatch(value):
            return (
                "A legal entity identifier has 18 letters or digits and 2 check digits, 20 in all."
            )
        if not has_right_check_digits(value):
            return "The check digits at its end don't fit: look for a mistyped character."
        return ""


def company_number_key(country: str, number: str) -> str:
    """Key that ignores spaces, punctuation and leading zeros of the number."""
    bare = "".join(character for character in number.upper() if character.isalnum())
    return f"{country} {bare.lstrip('0') or bare}"
