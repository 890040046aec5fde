"""A question as tags: spans of its words, each with what it may stand for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from rapidfuzz.distance import OSA

from dashboard.ask.grammar.lexicon import Kind
from dashboard.ask.grammar.periods import Period, number_of, read_period
from dashboard.ask.grammar.register_words import (
    company_at,
    is_about_registers,
    register_vocabulary,
)
from dashboard.ask.grammar.tokens import tokenise
from dashboard.ask.grammar.vocabulary import Senses, Vocabulary, vocabulary
from dashboard.ask.names import (
    MOST_ERRORS,
    PERSONAL,
    Named,
    Title,
    named,
    starting_with,
    titles_with,
    whole_names,
    with_word,
)
from oegen.core.folding import fold
from oegen.core.text import likeness_key
from oegen.models import User
from oegen.search import spelling

#: The fewest letters by which the beginning of a name stands for it.
FEWEST_LETTERS = 4

#: Of more records than this, a word names those that begin with it.
MOST_NAMED = 12

#: The kinds of records that a question names without saying so.
NAMED = ("pipeline", "counterparty", "facility")

#: How many days a unit of time has in a duration.
DAYS = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}

#: Words that are months, or days, only where a day may stand.
_MODALS = frozenset({"may", "march", "mar", "sat", "sun", "second", "q"})


@dataclass
class Tag:
    """``senses`` are what the words may stand for; a rule takes one of them."""

    words: tuple[str, ...]
    typed: str
    senses: Senses = field(default_factory=dict)
    period: Period | None = None
    number: float | None = None
    named: tuple[Named, ...] = ()
    person: tuple[str, ...] = ()
    is_used: bool = False
    #: As typed, if it was corrected.
    corrected: str = ""
    is_capital: bool = False

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def is_optional(self) -> bool:
        """Whether nothing turns on it."""
        return Kind.FILLER in self.senses

    def has(self, kind: Kind, *values: str) -> bool:
        return kind in self.senses and (not values or self.senses[kind] in values)


class Tagger:
    """Reads a question from left to right: at each word the longest phrase, span or name."""

    def __init__(self, question: str, today: date, *, names_people: bool):
        self.tokens = tokenise(question)
        self.words = [token.text for token in self.tokens]
        self.today = today
        self.vocabulary: Vocabulary = vocabulary()
        self.is_of_registers = is_about_registers(self.words, self.vocabulary.marks)
        if self.is_of_registers:
            self.vocabulary = register_vocabulary()
        self.people = _people() if names_people and not self.is_of_registers else {}
        self.kinds = (*NAMED, *(PERSONAL if names_people else ()))

    def tags(self) -> list[Tag]:
        found: list[Tag] = []
        place = 0
        while place < len(self.tokens):
            length, tag = self._tag_at(place, found)
            found.append(tag)
            place += length
        return found

    def _tag_at(self, place: int, before: Sequence[Tag]) -> tuple[int, Tag]:
        words = self.words[place:]
        phrase = self.vocabulary.at(words)
        period = self._period_at(place, before)
        if period and (phrase is None or period[0] >= phrase[0]):
            return period[0], self._tag(place, period[0], {Kind.PERIOD: ""}, period=period[1])
        if person := self._person_at(place):
            return person
        if duration := self._duration_at(place):
            return duration
        if self.is_of_registers:
            return self._tag_of_registers(place, phrase, before)
        if phrase and not self._begins_name(place, phrase):
            return phrase[0], self._tag(place, phrase[0], phrase[1])
        if number := self._number_at(place):
            return number
        if name := self._name_at(place):
            return name
        if phrase:
            return phrase[0], self._tag(place, phrase[0], phrase[1])
        return self._corrected(place) or (1, self._tag(place, 1, {Kind.UNKNOWN: ""}))

    def _tag_of_registers(
        self, place: int, phrase: tuple[int, Senses] | None, before: Sequence[Tag]
    ) -> tuple[int, Tag]:
        """Names are those of companies of registers. After “in” stands a place."""
        is_in = bool(before) and before[-1].has(Kind.PREPOSITION, "in")
        name = None if is_in else company_at(self.words[place:])
        words = self.words[place : place + name[0]] if name else []
        if self.vocabulary.known.issuperset(words) and not (
            len(words) > 1 and self.tokens[place].is_capital
        ):
            # Known words are a name only if they are written like one.
            name = None
        if name and (phrase is None or name[0] > phrase[0]):
            return name[0], self._tag(place, name[0], {Kind.NAME: name[1]})
        if phrase:
            return phrase[0], self._tag(place, phrase[0], phrase[1])
        if number := self._number_at(place):
            return number
        for corrected in () if is_in else self._corrected_phrase(place):
            return corrected
        return 1, self._tag(place, 1, {Kind.UNKNOWN: ""})

    def _tag(self, place: int, length: int, senses: Senses, **values: object) -> Tag:
        tokens = self.tokens[place : place + length]
        typed = list(dict.fromkeys(token.typed for token in tokens))
        tag = Tag(tuple(token.text for token in tokens), " ".join(typed), dict(senses))
        tag.is_capital = tokens[0].is_capital
        for name, value in values.items():
            setattr(tag, name, value)
        return tag

    def _period_at(self, place: int, before: Sequence[Tag]) -> tuple[int, Period] | None:
        words = self.words[place : place + 8]
        found = read_period(words, self.today)
        if found and found[0] == 1 and words[0] in _MODALS:
            # "may" is a month after a preposition, and "march" too.
            is_after = before and any(
                one.has(Kind.PREPOSITION) or one.has(Kind.EVENT) for one in before[-2:]
            )
            is_month = is_after or self.tokens[place].is_capital or len(self.words) == place + 1
            return found if is_month else None
        return found

    def _number_at(self, place: int) -> tuple[int, Tag] | None:
        word = self.words[place].replace(",", "")
        try:
            number = float(word)
        except ValueError:
            counted = number_of(word)
            if counted is None or word in ("a", "an"):
                return None
            number = float(counted)
        return 1, self._tag(place, 1, {Kind.NUMBER: ""}, number=number)

    def _duration_at(self, place: int) -> tuple[int, Tag] | None:
        """“90 days”, “two months”: as days."""
        number = self._number_at(place)
        unit = self.words[place + 1 : place + 2]
        days = DAYS.get(unit[0].removesuffix("s")) if unit else None
        if number is None or days is None or number[1].number is None:
            return None
        return 2, self._tag(place, 2, {Kind.DURATION: ""}, number=number[1].number * days)

    def _person_at(self, place: int) -> tuple[int, Tag] | None:
        for length in (2, 1):
            text = " ".join(self.words[place : place + length])
            if usernames := self.people.get(text):
                senses = {Kind.PERSON: usernames[0]}
                return length, self._tag(place, length, senses, person=usernames)
        return None

    # Names -----------------------------------------------------------------------------------

    def _begins_name(self, place: int, phrase: tuple[int, Senses]) -> bool:
        """Whether a known word may rather begin a name: written with a capital, and followed by a
        word that is not known."""
        token, rest = self.tokens[place], self.words[place + 1 : place + 2]
        if phrase[0] > 1 or not rest or Kind.FILLER in phrase[1]:
            return False
        is_unknown = rest[0] not in self.vocabulary.known and rest[0].isalpha()
        return token.is_capital and is_unknown and not read_period(rest, self.today)

    def _name_at(self, place: int) -> tuple[int, Tag] | None:
        """A name that begins here: as many words as some record has."""
        word = self.words[place]
        if not any(character.isalpha() for character in word) or len(word) < 2:
            return None
        if len(word) < FEWEST_LETTERS and word in self.vocabulary.known:
            return None
        return self._name_of(place, titles_with(word, self.kinds))

    def _name_of(self, place: int, titles: list[Title]) -> tuple[int, Tag] | None:
        """The name of as many words from ``place`` on as some of the titles have."""
        if not titles:
            return None
        length = 1
        while place + length < len(self.words):
            follow = with_word(titles, self.words[place + length])
            if not follow:
                break
            titles, length = follow, length + 1
        words = self.words[place : place + length]
        if length == 1:
            # One word of a person's name may be any word.
            titles = [one for one in titles if one.kind not in PERSONAL]
        titles = whole_names(titles, words)
        if len({(one.kind, one.key) for one in titles}) > MOST_NAMED:
            # A word that many names have names those that begin with it.
            titles = starting_with(titles, words)
        found = named(titles, words)
        if not found:
            return None
        return length, self._tag(place, length, {Kind.NAME: ""}, named=tuple(found))

    def _corrected(self, place: int) -> tuple[int, Tag] | None:
        """A word with typing errors: of the vocabulary, or else of a name."""
        token = self.tokens[place]
        readings: list[Iterator[tuple[int, Tag]]] = [
            self._corrected_phrase(place),
            self._corrected_name(place),
        ]
        if token.is_capital:
            readings.reverse()
        for reading in readings:
            for length, tag in reading:
                return length, tag
        return None

    def _corrected_phrase(self, place: int) -> Iterator[tuple[int, Tag]]:
        meant = self.vocabulary.correction(self.words[place])
        if meant:
            typed, self.words[place] = self.words[place], meant
            phrase = self.vocabulary.at(self.words[place:])
            if phrase:
                tag = self._tag(place, phrase[0], phrase[1])
                tag.words = tuple(self.words[place : place + phrase[0]])
                tag.corrected = typed
                yield phrase[0], tag
            self.words[place] = typed

    def _corrected_name(self, place: int) -> Iterator[tuple[int, Tag]]:
        word = self.words[place]
        fewest = FEWEST_LETTERS + (0 if self.tokens[place].is_capital else 2)
        if len(word) < fewest or not word.isalpha():
            return
        for [meant] in spelling.corrections([word]):
            self.words[place] = meant
            found = self._name_of(place, titles_with(meant, self.kinds))
            self.words[place] = word
            # The first word of a name, which is its own; others are in many names.
            begins = found and any(
                meant == likeness_key(one.name).split()[0] for one in found[1].named
            )
            if found and begins and OSA.distance(word, meant) <= MOST_ERRORS:
                length, tag = found
                tag.corrected = tag.typed
                yield length, tag
                return


def _people() -> dict[str, tuple[str, ...]]:
    """Usernames by the folded names of people: whole, first and last."""
    found: dict[str, list[str]] = {}
    rows = User.objects.order_by("username").values_list("username", "first_name", "last_name")
    for username, first, last in rows:
        for text in {fold(f"{first} {last}"), fold(first), fold(last), fold(username)}:
            if text.strip():
                found.setdefault(text.strip(), []).append(username)
    return {text: tuple(names) for text, names in found.items()}


def words_of(tags: Iterable[Tag]) -> tuple[str, ...]:
    """What was typed, for a refusal."""
    return tuple(dict.fromkeys(tag.typed for tag in tags))
