"""information_points.csv: each row is a point with its technologies and counterparties."""

import uuid
from collections import defaultdict
from dataclasses import dataclass

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError

from counterparties.models import Counterparty
from dashboard.demo_import.counterparties import CounterpartyNames, reference_by_name, with_dates
from dashboard.demo_import.importer import (
    CREATED_ROW,
    UNCHANGED_ROW,
    UPDATED_ROW,
    Importer,
    ImportRun,
    PastRow,
    Writes,
    changed_fields,
    check_fields,
    check_past_fields,
    check_record,
)
from dashboard.demo_import.literals import LiteralError, parse_literal
from dashboard.demo_import.past import Past
from dashboard.demo_import.vocabulary import Vocabulary
from infopoints.models import (
    InformationPoint,
    InformationPointCounterparty,
    InformationPointTechnology,
)
from oegen.core.text import clean_line, name_key
from oegen.imports import (
    Cell,
    Row,
    RowForm,
    derived_id,
    identifier,
    moment,
    one_line,
    text,
    whole_number,
)
from oegen.models import Comment


def name_list(value: str) -> list[str]:
    """The distinct names of a list printed by Python."""
    try:
        names = parse_literal(value)
    except LiteralError as error:
        raise ValidationError(
            f"The text can't be taken: {error}. Write names as ['First Ltd', 'Second Ltd']."
        ) from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValidationError(
            "This should be a list of names, written as ['First Ltd', 'Second Ltd']."
        )
    cleaned = {name_key(name): one_line(name) for name in names if name.strip()}
    return list(cleaned.values())


def parts(value: str) -> list[str]:
    return [part for part in (one_line(part) for part in value.split("/")) if part]


class InformationPointForm(RowForm):
    ID = Cell(identifier, required=True)
    Title = Cell(one_line, required=True)
    Description = Cell(text, empty="")
    Market = Cell(one_line, empty="")
    Technology = Cell(parts, empty=())
    Counterparties = Cell(name_list, empty=())
    Impact = Cell(whole_number, required=True)
    Likelihood = Cell(whole_number, required=True)
    Rating = Cell(whole_number)
    Created = Cell(moment)
    LastModified = Cell(moment)


def technology_link(point: uuid.UUID, technology: uuid.UUID) -> InformationPointTechnology:
    return InformationPointTechnology(
        id=derived_id("informationpointtechnology", point, technology),
        information_point_id=point,
        technology_id=technology,
    )


def counterparty_link(point: uuid.UUID, counterparty: uuid.UUID) -> InformationPointCounterparty:
    return InformationPointCounterparty(
        id=derived_id("informationpointcounterparty", point, counterparty),
        information_point_id=point,
        counterparty_id=counterparty,
    )


def name_only_counterparty(name: str) -> Counterparty:
    """An unsaved counterparty that is known by name only."""
    return Counterparty(id=derived_id("counterparty", name_key(name)), name=clean_line(name))


@dataclass
class PointBatch:
    writes: Writes
    points: dict[uuid.UUID, InformationPoint]
    technologies: dict[uuid.UUID, list]
    counterparties: dict[uuid.UUID, list]
    #: The existing ids among those of counterparties known by name only.
    name_only_ids: set[uuid.UUID]
    #: Comments of earlier imports, including removed ones.
    comments: set[uuid.UUID]


class InformationPointImporter(Importer):
    file_name = "information_points.csv"
    form = InformationPointForm
    model = InformationPoint
    past_key = "Title"
    past_models = (InformationPoint, InformationPointTechnology, InformationPointCounterparty)
    columns = {
        "title": "Title",
        "description": "Description",
        "market": "Market",
        "impact": "Impact",
        "likelihood": "Likelihood",
        "name": "Counterparties",
    }

    def __init__(self, run: ImportRun, names: CounterpartyNames, vocabulary: Vocabulary):
        super().__init__(run)
        self.names = names
        self.vocabulary = vocabulary
        self.content_type = ContentType.objects.get_for_model(InformationPoint)

    def load(self, rows: list[Row]) -> PointBatch:
        ids = [row.data["ID"] for row in rows]
        names = {
            name_only_counterparty(name).pk for row in rows for name in row.data["Counterparties"]
        }
        comments = {comment.pk for row in rows for comment in self._comments(row.data)}
        return PointBatch(
            writes=Writes(
                self.run.scratch,
                Counterparty,
                InformationPoint,
                InformationPointTechnology,
                InformationPointCounterparty,
                Comment,
            ),
            points=InformationPoint.objects.in_bulk(ids),
            technologies=_by_point(InformationPointTechnology, ids),
            counterparties=_by_point(InformationPointCounterparty, ids),
            name_only_ids=set(
                Counterparty.objects.filter(pk__in=names).values_list("pk", flat=True)
            ),
            comments=set(Comment.history.filter(id__in=comments).values_list("id", flat=True)),
        )

    def plan_row(self, row: Row, batch: PointBatch) -> str:
        data, writes = row.data, batch.writes
        names, technologies = data["Counterparties"], self._technologies(data)
        point = batch.points.get(data["ID"])
        is_new = point is None
        point = point or with_dates(
            InformationPoint(id=data["ID"]), data["Created"], data["LastModified"]
        )
        changed = changed_fields(point, _values(data))
        unknown = [name for name in names if not self.names.find(name)]
        check_record(point)
        check_fields(*(name_only_counterparty(name) for name in unknown))

        if is_new:
            writes.create(point)
        elif changed:
            writes.update(point, changed)
        counterparties = list(dict.fromkeys(self._counterparty(name, batch) for name in names))
        relinked = _update_links(point, batch.technologies, technology_link, technologies, writes)
        relinked |= _update_links(
            point, batch.counterparties, counterparty_link, counterparties, writes
        )
        has_new_comments = self._add_remarks(row, point, batch)
        if is_new:
            return CREATED_ROW
        return UPDATED_ROW if changed or relinked or has_new_comments else UNCHANGED_ROW

    def _technologies(self, data: dict) -> list[uuid.UUID]:
        found = [self.vocabulary.find_technology(part) for part in data["Technology"]]
        return list(dict.fromkeys(one.pk for one in found if one))

    def _comments(self, data: dict) -> list[Comment]:
        """An unsaved comment for each part of Technology that is unknown here."""
        whole = "/".join(data["Technology"])
        comments = []
        for part in data["Technology"]:
            if self.vocabulary.find_technology(part) is None:
                sentence = (
                    f"The import's technology “{whole}” names “{part}”, which is no technology "
                    "here."
                )
                comments.append(
                    Comment(
                        id=derived_id("comment", data["ID"], sentence),
                        content_type=self.content_type,
                        object_id=data["ID"],
                        author=self.run.change_set.person,
                        text=sentence,
                    )
                )
        return comments

    def _add_remarks(self, row: Row, point: InformationPoint, batch: PointBatch) -> bool:
        data, has_new_comments = row.data, False
        for comment in self._comments(data):
            self.run.remarks.add(
                "Technology parts that are no technology here, kept as comments",
                f"line {row.line}: {point.title}: {comment.text}",
            )
            if comment.pk not in batch.comments:
                batch.comments.add(comment.pk)
                batch.writes.create(comment)
                has_new_comments = True
        if data["Rating"] not in (None, point.impact * point.likelihood):
            self.run.remarks.add(
                "Ratings that are not impact × likelihood; ours is computed",
                f"line {row.line}: {point.title}: {data['Rating']:,} in the file, "
                f"{point.impact * point.likelihood:,} here",
            )
        return has_new_comments

    def _counterparty(self, name: str, batch: PointBatch) -> uuid.UUID:
        if found := self.names.find(name):
            return found
        counterparty = name_only_counterparty(name)
        self.names.add(name, counterparty.pk)
        # If the id exists, a user renamed the counterparty that an earlier import created.
        if counterparty.pk not in batch.name_only_ids:
            batch.writes.create(counterparty, self.names.first_reference(counterparty))
            self.run.also_created["counterparties known by name only"] += 1
        return counterparty.pk

    def references(self, data: dict) -> list[object]:
        return [reference_by_name(name) for name in data["Counterparties"]]

    def load_past(self, rows: list[PastRow], past: Past) -> None:
        entities = {row.entity for row in rows}
        past.read(InformationPoint, id__in=entities)
        past.read(InformationPointTechnology, information_point__in=entities)
        past.read(InformationPointCounterparty, information_point__in=entities)

    def record_past(self, row: PastRow, past: Past) -> None:
        data = row.data
        rating = data["Impact"] * data["Likelihood"]
        point = with_dates(
            InformationPoint(id=row.entity, version=0, rating=rating, **_values(data)),
            data["Created"],
            data["LastModified"],
        )
        check_past_fields(point)
        counterparties = []
        for name in data["Counterparties"]:
            if found := self.names.find(name):
                counterparties.append(found)
            else:
                row.notes.append(f"It also named “{name}”, which was no counterparty here.")
        for comment in self._comments({**data, "ID": row.entity}):
            row.notes.append(comment.text)
        past.record(point, row, always=True)
        technologies = [technology_link(row.entity, key) for key in self._technologies(data)]
        links = [counterparty_link(row.entity, key) for key in dict.fromkeys(counterparties)]
        for link in (*technologies, *links):
            link.version = 0
        past.record_links(InformationPointTechnology, row.entity, technologies, row)
        past.record_links(InformationPointCounterparty, row.entity, links, row)


def _values(data: dict) -> dict:
    return {
        "title": data["Title"],
        "description": data["Description"],
        "market": data["Market"],
        "impact": data["Impact"],
        "likelihood": data["Likelihood"],
    }


def _by_point(model, points: list[uuid.UUID]) -> dict[uuid.UUID, list]:
    links = defaultdict(list)
    for link in model.objects.filter(information_point__in=points):
        links[link.information_point_id].append(link)
    return links


def _update_links(
    point: InformationPoint, present: dict, make, wanted: list, writes: Writes
) -> bool:
    """Create the missing links to ``wanted``, and remove imported ones that the file no longer has;
    links entered by hand stay. ``make`` builds a link from the two keys."""
    links = {_subject_key(link): link for link in present[point.pk]}
    missing = [key for key in wanted if key not in links]
    removed = [
        link
        for key, link in links.items()
        if key not in wanted and link.pk == make(point.pk, key).pk
    ]
    for key in missing:
        writes.create(make(point.pk, key))
    for link in removed:
        writes.remove(link)
    return bool(missing or removed)


def _subject_key(link: InformationPointTechnology | InformationPointCounterparty) -> uuid.UUID:
    if isinstance(link, InformationPointTechnology):
        return link.technology_id
    return link.counterparty_id
