"""What each sentence of a model has to pass before anybody sees it.

Its figures, names, days and directions are those of references alone. Besides them it has only
plain words and those of the labels under which these references were looked up, so that no figure
stands under another subject. What it leaves unsaid, such as a filter, is added in our words.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

from django.http import QueryDict
from django.utils.formats import date_format

from dashboard.ask.findings import PLACEHOLDER, Comparison, Day, Figure, Findings, Record
from dashboard.ask.lookups import Asker
from dashboard.ask.lookups.screen import filters_of_page
from dashboard.ask.provider.clauses import Clause, clauses
from dashboard.ask.provider.vocabulary import Vocabulary, choices, vocabularies
from dashboard.ask.provider.words import (
    COUNTED_WORDS,
    PRESENT,
    UNITS,
    is_forbidden,
    is_plain,
    stem,
    words_of,
)
from oegen.core import clock

#: The most characters of a sentence.
MOST_CHARACTERS = 600

#: Punctuation that a sentence may have besides letters and references.
_PUNCTUATION = frozenset(" ,.;:?!()'’‘“”\"-–—")

#: What may touch a reference on its left and right.
_BEFORE, _AFTER = frozenset(" (“\"‘'—"), frozenset(" ,.;:?!)”\"’'—")

#: Words after which records are some of those that a figure counts.
_LISTING = re.compile(r"\b(?:includ\w+|among|such as|namely|example)\b|:", re.IGNORECASE)

#: What parts two statements.
_APART = re.compile(r"[,;:—–]|\b(?:and|or|while|whereas)\b", re.IGNORECASE)

#: Kinds of days: a day stands under the one of its column.
_KINDS_OF_DAYS = frozenset(stem(one) for one in ("RTB", "COD", "baseline", "confirmed", "review"))


#: Units that a model may take for each other: the figure is printed with its own.
_SAME_UNITS = (
    {"mw", "mwp", "gw", "gwp", "kw", "kwp"},
    {"mwh", "gwh", "kwh", "twh"},
    {"pipeline", "pipelines", "project", "projects"},
    {"counterparty", "counterparties", "company", "companies"},
)


class DroppedError(Exception):
    """A sentence must not be shown; the text says why to administrators."""


@dataclass
class Checker:
    """``question`` is what was asked; names in it may be said of what was looked up for them."""

    question: str
    asker: Asker
    findings: Findings

    def check(self, text: str) -> str:
        """The sentence as it can be shown. Raises DroppedError."""
        text = _tidied(text)
        if len(text) > MOST_CHARACTERS:
            raise DroppedError("It is too long.")
        self._check_references(text)
        self._known = vocabularies(self.findings)
        text = self._link_names(text)
        refs = PLACEHOLDER.findall(text)
        if not refs:
            raise DroppedError("It has no reference.")
        text = self._without_units(text)
        self._check_neighbours(text)
        rest = PLACEHOLDER.sub(" ", self._without_phrases(text, refs))
        _check_characters(rest)
        for word in words_of(rest):
            if is_forbidden(word):
                raise DroppedError(f"It says “{word}” by itself.")
        parts = clauses(text, self._phrases(refs))
        for part in parts:
            self._check_words(part, is_first=part is parts[0])
        self._check_records(text)
        self._check_days(text)
        return self._quoted(self._completed(text))

    # References -----------------------------------------------------------------------------------

    def _check_references(self, text: str) -> None:
        for ref in PLACEHOLDER.findall(text):
            if ref not in self.findings:
                raise DroppedError(f"There is no {{{ref}}}.")
        if re.search(r"[{}]", PLACEHOLDER.sub("", text)):
            raise DroppedError("A brace is not closed, or holds no reference.")

    def _link_names(self, text: str) -> str:
        """Names of records that were looked up become their references, the longest first."""
        records = [one for one in self.findings if isinstance(one, Record)]
        for one in sorted(records, key=lambda record: len(record.name), reverse=True):
            if not _is_ordinary(one.name):
                name = rf"(?<![\w{{]){re.escape(one.name)}(?![\w}}])"
                text = re.sub(name, f"{{{one.ref}}}", text)
        return text

    def _without_units(self, text: str) -> str:
        """A unit that is written behind a figure goes, as the figure has it already. Raises
        DroppedError for another one."""

        def take(match: re.Match[str]) -> str:
            figure, unit = self.findings[match[1]], match[2].casefold()
            if not isinstance(figure, Figure):
                return match[0]
            own = {one.casefold() for one in words_of(figure.text)} | {
                one.casefold() for one in words_of(figure.unit)
            }
            same = next((one for one in _SAME_UNITS if unit in one), {unit, f"{unit}s"})
            if own & same or (unit in ("%", "percent", "pct") and figure.unit == "%"):
                return f"{{{match[1]}}}"
            raise DroppedError(f"{{{match[1]}}} is not in {match[2]}.")

        units = "|".join(sorted((*UNITS, *COUNTED_WORDS, "%"), key=len, reverse=True))
        return re.sub(rf"\{{(f\d+)\}}\s?({units})(?![\w])", take, text, flags=re.IGNORECASE)

    @staticmethod
    def _check_neighbours(text: str) -> None:
        for match in PLACEHOLDER.finditer(text):
            before, after = text[: match.start()][-1:], text[match.end() :][:1]
            if (before and before not in _BEFORE) or (after and after not in _AFTER):
                raise DroppedError(f"Something touches {match[0]}.")

    # Words ----------------------------------------------------------------------------------------

    def _phrases(self, refs: list[str]) -> dict[str, set[str]]:
        """Whole labels with the references that have them."""
        found: dict[str, set[str]] = {}
        for ref in refs:
            for phrase in self._known[ref].phrases:
                found.setdefault(phrase, set()).add(ref)
        return found

    def _without_phrases(self, text: str, refs: list[str]) -> str:
        for phrase in sorted(self._phrases(refs), key=len, reverse=True):
            text = re.sub(rf"(?<!\w){re.escape(phrase)}(?!\w)", " ", text, flags=re.IGNORECASE)
        return text

    def _check_words(self, part: Clause, *, is_first: bool) -> None:
        known = {ref: self._known[ref] for ref in part.refs}
        counted = [one for ref, one in known.items() if ref[0] in "fc"]
        records = [one for ref, one in known.items() if ref[0] == "r"]
        days = [one for ref, one in known.items() if ref[0] == "d"]
        for phrase in part.phrases:
            has_it = [phrase in one.phrases for one in counted or records or days]
            if not (any(has_it) if not counted and _are_linked(known) else all(has_it)):
                raise DroppedError(f"“{phrase}” is not what was looked up here.")
        for place, word in enumerate(part.words):
            is_name = word[0].isupper() and not (is_first and place == 0)
            if is_plain(word) and not is_name:
                continue
            if word.casefold() in UNITS:
                continue
            own = stem(re.sub(r"['’]s$", "", word))
            if days and own in _KINDS_OF_DAYS:
                if not all(own in one.words for one in days):
                    raise DroppedError(f"The day is not that of “{word}”.")
                continue
            subjects = counted or records or days
            if not counted and _are_linked(known):
                fits = any(own in one.words for one in records)
            else:
                fits = bool(subjects) and all(own in one.words for one in subjects)
            if not fits:
                raise DroppedError(f"“{word}” is not what was looked up here.")

    # Subjects -------------------------------------------------------------------------------------

    def _check_records(self, text: str) -> None:
        """A figure after a record is that record's; one before it may also count it, if the words
        between say that it is one of several."""
        found = list(PLACEHOLDER.finditer(text))
        for place, match in enumerate(found):
            if match[1][0] not in "fc":
                continue
            own = self._known[match[1]]
            before = next((one for one in reversed(found[:place]) if one[1][0] == "r"), None)
            after = next((one for one in found[place + 1 :] if one[1][0] == "r"), None)
            if before is not None:
                since = next((one.end() for one in reversed(found[:place]) if one[1][0] in "fc"), 0)
                if since <= before.start() or not _LISTING.search(text[since : before.start()]):
                    self._require(own, before[1], match[1])
            elif after is not None and before is None:
                between = text[match.end() : after.start()]
                if not (after[1] in own.members and _LISTING.search(between)):
                    self._require(own, after[1], match[1])
        self._check_days_of_records(found)
        for one, other in pairwise(match for match in found if match[1][0] == "r"):
            between = text[one.end() : other.start()]
            linked = _are_linked({ref: self._known[ref] for ref in (one[1], other[1])})
            if not linked and not _APART.search(between):
                raise DroppedError(f"{{{one[1]}}} and {{{other[1]}}} were not looked up together.")

    def _require(self, own: Vocabulary, record: str, figure: str) -> None:
        if record in own.records:
            return
        name = self.findings[record].name  # type: ignore[union-attr]
        if all(stem(word) in own.words for word in words_of(name)) and not own.records:
            return
        raise DroppedError(f"{{{figure}}} is not of {{{record}}}.")

    def _check_days_of_records(self, found: list[re.Match[str]]) -> None:
        for place, match in enumerate(found):
            if match[1][0] != "d":
                continue
            record = next((one for one in reversed(found[:place]) if one[1][0] == "r"), None)
            day = self.findings[match[1]]
            if record is None or not isinstance(day, Day):
                continue
            others = [one for one in found if one[1][0] in "fc"]
            if any(day.day in self._known[one[1]].days for one in others):
                continue
            if day.day not in self._known[record[1]].days:
                raise DroppedError(f"{{{match[1]}}} is not a day of {{{record[1]}}}.")

    def _check_days(self, text: str) -> None:
        refs = PLACEHOLDER.findall(text)
        counted = [ref for ref in refs if ref[0] in "fc"]
        records = {ref for ref in refs if ref[0] == "r"}
        for ref in refs:
            day = self.findings[ref]
            if not isinstance(day, Day):
                continue
            fits = any(day.day in self._known[one].days for one in (*counted, *records))
            if not fits and not (not counted and not records and len(set(refs)) == 1):
                raise DroppedError(f"{{{ref}}} is not the day of what was looked up.")
        if PRESENT & {word.casefold() for word in words_of(PLACEHOLDER.sub(" ", text))}:
            for ref in counted:
                if self._day() not in self._known[ref].days:
                    raise DroppedError(f"{{{ref}}} is not of today.")

    def _day(self) -> object:
        with self.asker.reading():
            return clock.today()

    # What is left unsaid --------------------------------------------------------------------------

    def _completed(self, text: str) -> str:
        """The sentence with what it leaves out: the public registers that it is of, filters that
        neither it nor the question names, the record or row, and another day than the page's."""
        refs = PLACEHOLDER.findall(text)
        said = choices().mentioned(PLACEHOLDER.sub(" ", text))
        asked = choices().mentioned(self.question)
        page = filters_of_page(self.asker)
        added: dict[str, None] = {}
        for ref in dict.fromkeys(refs):
            own = self._known[ref]
            if own.source and not all(one in text for one in own.source):
                # What others publish is never taken for ours.
                added[_parenthesis(own.title)] = None
            if ref[0] not in "fc":
                continue
            if own.is_row and not self._names_row(own, text, refs):
                added[_parenthesis(own.label)] = None
            elif not (_says_filters(own, said, asked, page) and self._says_measure(own, text)):
                added[_parenthesis(own.title)] = None
            if day := self._unsaid_day(ref, refs):
                added[day] = None
        for name in asked:
            self._check_question(name, asked[name], said.get(name, set()), refs)
        if not added:
            return text
        mark = re.search(r"[.!?]?[\"”]?$", text)
        end = mark.start() if mark else len(text)
        return f"{text[:end]} ({'; '.join(added)}){text[end:] or '.'}"

    def _unsaid_day(self, ref: str, refs: list[str]) -> str:
        """The day of a figure that is not the page's, and the one that a comparison began at."""
        said = {one.day for one in map(self.findings.__getitem__, refs) if isinstance(one, Day)}
        one = self.findings[ref]
        if isinstance(one, Comparison):
            before = self.findings[one.before]
            if isinstance(before, Figure) and not said & self._known[ref].days:
                return f"since {date_format(before.day)}"
        is_other = isinstance(one, Figure) and one.day != self._day()
        if is_other and not (said & self._known[ref].days or any(each[0] == "c" for each in refs)):
            return date_format(one.day)  # type: ignore[union-attr]  # a Figure
        return ""

    def _says_measure(self, own: Vocabulary, text: str) -> bool:
        said = words_of(f"{PLACEHOLDER.sub(' ', text)} {self.question}")
        return not own.measure or bool(own.measure & {stem(word) for word in said})

    def _names_row(self, own: Vocabulary, text: str, refs: list[str]) -> bool:
        if own.records & {*refs}:
            return True
        said = {stem(word) for word in words_of(PLACEHOLDER.sub(" ", text))}
        row = [stem(word) for word in words_of(own.label.partition(":")[0])]
        return not own.records and bool(row) and all(word in said for word in row)

    def _check_question(self, name: str, asked: set[str], said: set[str], refs: list[str]) -> None:
        """A sentence that does not say so itself is not about something else than was asked for."""
        if said & asked or not asked:
            return
        for ref in refs:
            own = self._known[ref].filters.get(name)
            if ref[0] in "fc" and own and not own & asked and not said & own:
                raise DroppedError(
                    f"{{{ref}}} is of {', '.join(sorted(own))}, and the question is not."
                )

    def _quoted(self, text: str) -> str:
        """A record whose name reads like a figure or like prose stands in quotation marks."""

        def quote(match: re.Match[str]) -> str:
            one = self.findings[match[1]]
            is_quoted = text[: match.start()][-1:] == "“"
            if isinstance(one, Record) and _is_ordinary(one.name) and not is_quoted:
                return f"“{match[0]}”"
            return match[0]

        return PLACEHOLDER.sub(quote, text)


def _are_linked(known: dict[str, Vocabulary]) -> bool:
    """Whether all records of a clause were looked up together with its first one or its last."""
    records = [ref for ref in known if ref[0] == "r"]
    return len(records) > 1 and any(
        all(one in known[other].records or other in known[one].records for one in records)
        for other in (records[0], records[-1])
    )


def _tidied(text: str) -> str:
    """Without the markup of lists and of emphasis."""
    text = re.sub(r"^\s*(?:[-*•]\s+|#+\s+)", "", text.strip())
    return " ".join(re.sub(r"\*\*|__|`", "", text).split())


def _check_characters(text: str) -> None:
    for character in text:
        if character in _PUNCTUATION:
            continue
        if unicodedata.category(character)[0] == "N":
            raise DroppedError("It has a number of its own.")
        if unicodedata.category(character) not in ("Lu", "Ll"):
            raise DroppedError(f"It has the character U+{ord(character):04X}.")


def _is_ordinary(name: str) -> bool:
    """Whether a name has no word of its own: said in a sentence, it could be taken for prose or for
    a figure."""
    return all(
        is_plain(word) or is_forbidden(word) or word.casefold() in UNITS for word in words_of(name)
    )


def _says_filters(
    own: Vocabulary, said: dict[str, set[str]], asked: dict[str, set[str]], page: QueryDict
) -> bool:
    for name, codes in own.filters.items():
        if codes <= {*page.getlist(name)} or codes <= said.get(name, set()):
            continue
        if name not in said and codes == asked.get(name, set()):
            continue
        return False
    return True


def _parenthesis(text: str) -> str:
    return text.replace("{", "").replace("}", "").replace("(", "").replace(")", "")
