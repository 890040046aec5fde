"""Days and spans of days as people write them in questions, from a list of tokens.

``oegen.core.day_words`` reads single days; this reads the spans that questions have as well:
"June", "Q3", "this year", "the last three months", "next quarter", "2027".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from oegen.core.clock import months_before
from oegen.core.day_words import parse_day

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan"),
            ("february", "feb"),
            ("march", "mar"),
            ("april", "apr"),
            ("may",),
            ("june", "jun"),
            ("july", "jul"),
            ("august", "aug"),
            ("september", "sept", "sep"),
            ("october", "oct"),
            ("november", "nov"),
            ("december", "dec"),
        ),
        1,
    )
    for name in names
}

WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            ("monday", "mon"),
            ("tuesday", "tues"),
            ("wednesday",),
            ("thursday", "thurs"),
            ("friday", "fri"),
            ("saturday",),
            ("sunday",),
        )
    )
    for name in names
}

#: Feasts that people date by: month and day.
FEASTS = {
    "christmas": (12, 25),
    "xmas": (12, 25),
    "christmas day": (12, 25),
    "new year": (1, 1),
    "new year's": (1, 1),
    "new years": (1, 1),
    "new year's day": (1, 1),
    "boxing day": (12, 26),
}

NUMBERS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "twenty": 20,
    "couple of": 2,
    "a couple of": 2,
    "fifteen": 15,
    "thirty": 30,
    "sixty": 60,
    "ninety": 90,
    "half a dozen": 6,
    "dozen": 12,
}

UNITS = ("day", "week", "month", "quarter", "year")

#: The most tokens of a span.
MOST_TOKENS = 7

EARLIEST_YEAR, LATEST_YEAR = 2000, 2100


@dataclass(frozen=True)
class Period:
    """From ``first`` to ``last``, both included. ``is_day``: a day is meant, not a span, as in "the
    end of June". ``is_rolling``: "last month", which is counted back from today. ``is_yearless``: a
    month or a quarter was given without its year, which is the last one that has begun unless days
    ahead are meant."""

    first: date
    last: date
    is_day: bool = False
    is_rolling: bool = False
    #: A beginning, as in "the start of the year": what is since then begins the day before.
    is_start: bool = False
    is_yearless: bool = False
    #: "this", "next" or "last" as it was said.
    relative: str = ""
    unit: str = ""

    @property
    def before(self) -> date:
        """The day before it began."""
        return self.first - timedelta(days=1)

    @property
    def year(self) -> int | None:
        """The year that it is, if it is one."""
        is_year = (self.first.month, self.first.day, self.last.month, self.last.day) == (
            1,
            1,
            12,
            31,
        )
        return self.first.year if is_year and self.first.year == self.last.year else None

    def ahead_of(self, today: date) -> Period:
        """The next such span, if it was given without a year and is over."""
        if not self.is_yearless or self.last >= today:
            return self
        return self.in_year_of(today.year + 1 if self.first.year == today.year else today.year)

    def in_year_of(self, year: int) -> Period:
        """The same span of that year."""
        first, last = (shift(day, year - self.last.year, "year") for day in (self.first, self.last))
        if self.unit in ("month", "quarter", "half") and not self.is_day:
            last = month_of(last.year, last.month).last
        return replace(self, first=first, last=last, is_yearless=False)


def month_of(year: int, month: int) -> Period:
    first = date(year, month, 1)
    after = date(year + month // 12, month % 12 + 1, 1)
    return Period(first, after - timedelta(days=1), unit="month")


def quarter_of(year: int, quarter: int) -> Period:
    return Period(date(year, 3 * quarter - 2, 1), month_of(year, 3 * quarter).last, unit="quarter")


def year_of(year: int) -> Period:
    return Period(date(year, 1, 1), date(year, 12, 31), unit="year")


def week_of(day: date) -> Period:
    first = day - timedelta(days=day.weekday())
    return Period(first, first + timedelta(days=6), unit="week")


def around(day: date, unit: str) -> Period:
    """The calendar week, month, quarter or year that the day is in."""
    if unit == "week":
        return week_of(day)
    if unit == "month":
        return month_of(day.year, day.month)
    if unit == "quarter":
        return quarter_of(day.year, (day.month + 2) // 3)
    if unit == "year":
        return year_of(day.year)
    return Period(day, day, is_day=True, unit="day")


def shift(day: date, number: int, unit: str) -> date:
    """So many units later, or earlier if negative."""
    if unit == "day":
        return day + timedelta(days=number)
    if unit == "week":
        return day + timedelta(weeks=number)
    months = {"month": 1, "quarter": 3, "year": 12}[unit] * number
    return months_before(day, -months)


def read_period(tokens: Sequence[str], today: date) -> tuple[int, Period] | None:
    """The longest span at the beginning of the tokens: the number of its tokens, and what it is."""
    for length in range(min(MOST_TOKENS, len(tokens)), 0, -1):
        words = list(tokens[:length])
        for read in _READERS:
            if found := read(words, today):
                return length, found
    return None


def number_of(text: str) -> int | None:
    if text in NUMBERS:
        return NUMBERS[text]
    return int(text) if text.isdecimal() and len(text) < 4 else None


def _unit(word: str) -> str:
    """The unit of a word in singular or plural; empty if it is none."""
    one = {"wk": "week", "wks": "week", "mth": "month", "mths": "month", "qtr": "quarter",
           "yr": "year", "yrs": "year", "mo": "month"}.get(word, word)  # fmt: skip
    one = one.removesuffix("s") if one.removesuffix("s") in UNITS else one
    return one if one in UNITS else ""


def _year(word: str) -> int | None:
    if word.isdecimal() and len(word) == 4 and EARLIEST_YEAR <= int(word) <= LATEST_YEAR:
        return int(word)
    if len(word) == 3 and word[0] == "'" and word[1:].isdecimal():
        return 2000 + int(word[1:])
    return None


def _without_article(words: list[str]) -> list[str]:
    return words[1:] if words and words[0] == "the" else words


def _relative(words: list[str], today: date) -> Period | None:
    """This month, last quarter, next year; today, yesterday, tomorrow."""
    words = _without_article(words)
    if words in (["today"], ["now"], ["right", "now"], ["as", "of", "now"]):
        return Period(today, today, is_day=True, relative="this", unit="day")
    if words in (["this", "time", "last", "year"], ["same", "time", "last", "year"],
                 ["same", "day", "last", "year"], ["same", "period", "last", "year"]):  # fmt: skip
        day = shift(today, -1, "year")
        return Period(day, day, is_day=True, is_rolling=True, relative="last", unit="year")
    if words == ["yesterday"]:
        day = today - timedelta(days=1)
        return Period(day, day, is_day=True, relative="last", unit="day")
    if words == ["tomorrow"]:
        day = today + timedelta(days=1)
        return Period(day, day, is_day=True, relative="next", unit="day")
    if words in (["ytd"], ["year", "to", "date"], ["this", "year", "to", "date"]):
        return _this(today, "year")
    if words in (["mtd"], ["month", "to", "date"]):
        return _this(today, "month")
    if words in (["qtd"], ["quarter", "to", "date"]):
        return _this(today, "quarter")
    if len(words) != 2:
        return None
    which, unit = words[0], _unit(words[1])
    if not unit or unit == "day":
        return None
    if which in ("this", "current"):
        return _this(today, unit)
    if which in ("next", "coming", "following"):
        found = around(shift(around(today, unit).last, 1, "day"), unit)
        return Period(found.first, found.last, relative="next", unit=unit)
    if which in ("last", "previous", "past", "prior"):
        if unit in ("week", "month"):
            return Period(
                shift(today, -1, unit), today, is_rolling=True, relative="last", unit=unit
            )
        found = around(around(today, unit).before, unit)
        return Period(found.first, found.last, relative="last", unit=unit)
    return None


def _this(today: date, unit: str) -> Period:
    found = around(today, unit)
    return Period(found.first, found.last, relative="this", unit=unit)


def _counted(words: list[str], today: date) -> Period | None:
    """The last three months, the next 90 days, within six months."""
    words = _without_article(words)
    if words and words[0] == "within":
        words = ["next", *[one for one in words[1:] if one not in ("the", "next")]]
    if len(words) < 3 or words[0] not in (
        *("last", "past", "previous", "next", "coming", "trailing", "recent"),
    ):
        return None
    number, unit = number_of(" ".join(words[1:-1])), _unit(words[-1])
    if number is None or not unit:
        return None
    if words[0] in ("next", "coming"):
        return Period(today, shift(today, number, unit), relative="next", unit=unit)
    return Period(shift(today, -number, unit), today, is_rolling=True, relative="last", unit=unit)


def _ago(words: list[str], today: date) -> Period | None:
    """Three months ago, a year ago, a year earlier; in six months' time is ahead."""
    text = " ".join(words)
    for end in (" ago", " earlier", " back", " before now"):
        if text.endswith(end):
            parts = text.removesuffix(end).split()
            number, unit = number_of(" ".join(parts[:-1])), _unit(parts[-1]) if parts else ""
            if number is not None and unit:
                day = shift(today, -number, unit)
                return Period(day, day, is_day=True, is_rolling=True, relative="last", unit=unit)
    return None


def _year_alone(words: list[str], today: date) -> Period | None:
    if len(words) == 1 and (year := _year(words[0])):
        return year_of(year)
    if len(words) == 2 and words[0] in ("year", "fy", "cy") and (year := _year(words[1])):
        return year_of(year)
    return None


def _month(words: list[str], today: date) -> Period | None:
    """A month, with or without a year."""
    if not words or words[0] not in MONTHS or len(words) > 3:
        return None
    month = MONTHS[words[0]]
    rest = [one for one in words[1:] if one != "of"]
    if not rest:
        year = today.year if date(today.year, month, 1) <= today else today.year - 1
        found = month_of(year, month)
        return Period(found.first, found.last, is_yearless=True, unit="month")
    if len(rest) == 1 and (given := _year(rest[0])):
        return month_of(given, month)
    if rest == ["last", "year"]:
        return month_of(today.year - 1, month)
    if rest == ["this", "year"]:
        return month_of(today.year, month)
    if rest == ["next", "year"]:
        return month_of(today.year + 1, month)
    return None


def _quarter(words: list[str], today: date) -> Period | None:
    """Q3, Q3 2027, 2027 Q3, H1 2026, the first half of 2026, the third quarter."""
    words = [one for one in words if one not in ("the", "of")]
    ordinals = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4,
                "4th": 4}  # fmt: skip
    if len(words) >= 2 and words[0] in ordinals and words[1] in ("quarter", "half"):
        letter = "q" if words[1] == "quarter" else "h"
        words = [f"{letter}{ordinals[words[0]]}", *words[2:]]
    if len(words) == 2 and _year(words[0]):
        words = [words[1], words[0]]
    if not words or len(words) > 3 or len(words[0]) != 2 or words[0][0] not in "qh":
        return None
    if not words[0][1].isdecimal():
        return None
    number = int(words[0][1])
    rest = words[1:]
    year: int | None = None
    if len(rest) == 1:
        year = _year(rest[0])
    elif len(rest) == 2 and rest[1] == "year":
        year = today.year + {"last": -1, "this": 0, "next": 1}.get(rest[0], 10_000)
    if rest and (year is None or year > LATEST_YEAR):
        return None

    def of_year(year: int) -> Period | None:
        if words[0][0] == "q":
            return quarter_of(year, number) if 1 <= number <= 4 else None
        if number not in (1, 2):
            return None
        first = 6 * number - 5
        return Period(date(year, first, 1), month_of(year, first + 5).last, unit="half")

    if year is not None:
        return of_year(year)
    this = of_year(today.year)
    if this is not None and this.first > today:
        this = of_year(today.year - 1)
    return this and replace(this, is_yearless=True)


def _end(words: list[str], today: date) -> Period | None:
    """The end or the beginning of a span: end of June, last quarter end, start of 2026."""
    words = _without_article(words)
    ends = ("end", "close", "ends")
    starts = ("start", "beginning", "begin", "opening")
    if len(words) >= 2 and words[0] in (*ends, *starts, "mid", "middle"):
        rest = [one for one in words[1:] if one not in ("of", "the")]
        is_last = len(rest) == 2 and rest[0] in ("last", "previous") and bool(_unit(rest[1]))
        if words[0] in ends and is_last:
            # Not a month ago, but the month before this one.
            unit = _unit(rest[1])
            last = around(today, unit).before
            return Period(last, last, is_day=True, relative="last", unit=unit)
        found = _span(rest, today)
        if found is None:
            return None
        if words[0] in ends:
            return Period(
                found.last, found.last, is_day=True, is_yearless=found.is_yearless, unit=found.unit
            )
        if words[0] in starts:
            return Period(
                found.first, found.first, is_day=True, is_start=True, is_yearless=found.is_yearless
            )
        middle = found.first + (found.last - found.first) / 2
        return Period(middle, middle, is_day=True)
    if len(words) >= 2 and words[-1] in ("end", "ends"):
        rest = words[:-1]
        if rest[-1] == "'s":
            rest = rest[:-1]
        if rest[0] in ("last", "previous") and len(rest) == 2 and _unit(rest[1]):
            last = around(today, _unit(rest[1])).before
            return Period(last, last, is_day=True, relative="last", unit=_unit(rest[1]))
        if len(rest) == 1 and _unit(rest[0]) not in ("", "day", "week"):
            last = around(today, _unit(rest[0])).before
            return Period(last, last, is_day=True, relative="last", unit=_unit(rest[0]))
        found = _span(rest, today)
        if found is not None:
            return Period(
                found.last, found.last, is_day=True, is_yearless=found.is_yearless, unit=found.unit
            )
    return None


def _last_day(span: Period) -> Period:
    return replace(span, first=span.last, is_day=True, relative="")


def _span(words: list[str], today: date) -> Period | None:
    for read in (_relative, _month, _quarter, _year_alone):
        if found := read(words, today):
            return found
    if len(words) == 1 and (unit := _unit(words[0])) and unit != "day":
        return _this(today, unit)
    return None


def _feast(words: list[str], today: date) -> Period | None:
    year: int | None = None
    if len(words) > 1 and (given := _year(words[-1])):
        year, words = given, words[:-1]
    if words and words[0] in ("last", "this"):
        words = words[1:]
    day = FEASTS.get(" ".join(words))
    if day is None:
        return None
    found = date(year or today.year, *day)
    if year is None and found > today:
        found = date(today.year - 1, *day)
    return Period(found, found, is_day=True)


def _weekday(words: list[str], today: date) -> Period | None:
    words = words[1:] if len(words) == 2 and words[0] in ("last", "on") else words
    if len(words) != 1 or words[0] not in WEEKDAYS:
        return None
    back = (today.weekday() - WEEKDAYS[words[0]] - 1) % 7 + 1
    day = today - timedelta(days=back)
    return Period(day, day, is_day=True)


def _day(words: list[str], today: date) -> Period | None:
    """What ``day_words`` reads, except the spans above."""
    if len(words) > 2 and words[-2:] in (["last", "year"], ["next", "year"]):
        found = _day(words[:-2], today)
        year = today.year + (1 if words[-2] == "next" else -1)
        if found is None or any(_year(word) for word in words):
            return None
        day = found.first.replace(year=year, day=min(found.first.day, 28))
        day = day + timedelta(days=found.first.day - day.day)
        return Period(day, day, is_day=True)
    text = " ".join(words)
    if not any(character.isdecimal() for character in text):
        return None
    if len(words) == 1 and words[0].isdecimal():
        return None
    written = parse_day(text.removeprefix("the "), today)
    return Period(written, written, is_day=True) if written else None


_READERS: tuple[Callable[[list[str], date], Period | None], ...] = (
    _relative,
    _counted,
    _ago,
    _quarter,
    _month,
    _year_alone,
    _end,
    _feast,
    _weekday,
    _day,
)
