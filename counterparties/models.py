from __future__ import annotations

from typing import ClassVar

from django.contrib.contenttypes.fields import GenericRelation
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.formats import date_format

from counterparties import questions
from counterparties.fields import LEIField, company_number_key
from counterparties.querysets import (
    ContactQuerySet,
    CounterpartyContactQuerySet,
    CounterpartyQuerySet,
)
from counterparties.reference import CONTACT_ROLES
from oegen.core.addresses import address_of
from oegen.core.constraints import name_present, unique_name
from oegen.core.fields import (
    CountryField,
    LineField,
    NamesField,
    ProseField,
    country_constraint,
    country_name,
)
from oegen.core.record_keys import ALIAS, NAME, Key
from oegen.core.text import split_lines
from oegen.models import AuditedModel, Comment, ReferenceModel


class Counterparty(AuditedModel):
    """A company the investor develops, owns, finances or trades projects with."""

    name = LineField(max_length=200)
    aliases = NamesField(
        "other names",
        blank=True,
        limit=4_000,
        help_text="One a line. Search and imports find these too.",
    )
    strategy = ProseField(blank=True, help_text="What they are after, in a sentence or two.")
    website = models.URLField(blank=True)
    country = CountryField(help_text="Country of registration.")
    company_number = LineField(
        max_length=40, blank=True, help_text="As registered, such as 09876543 at Companies House."
    )
    lei = LEIField(
        "LEI",
        max_length=20,
        blank=True,
        help_text="Legal entity identifier (ISO 17442), 20 characters.",
    )
    is_placeholder = models.BooleanField(
        "placeholder",
        default=False,
        help_text="Made by an import for a reference to a company nobody has described yet.",
    )
    archived_at = models.DateTimeField(
        null=True, blank=True, help_text="Set when you no longer deal with them."
    )
    contacts: models.ManyToManyField[Contact, CounterpartyContact] = models.ManyToManyField(
        "Contact", through="CounterpartyContact", related_name="counterparties"
    )
    comments = GenericRelation(Comment)

    objects: ClassVar = CounterpartyQuerySet.as_manager()

    SEARCH_FACTS_TEMPLATE = "counterparties/parts/counterparty_found.html"
    SEARCH_FIELDS = (
        "name",
        "aliases",
        "strategy",
        "country_name",
        "website",
        "company_number",
        "lei",
    )
    SEARCH_ORDER = 3
    HAS_KEYS = True
    MERGE_FIELDS = ("strategy", "website", "country", "company_number", "lei")

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "counterparties"
        constraints = [
            name_present("counterparty"),
            country_constraint("counterparty"),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return address_of("counterparty", self.pk)

    def record_keys(self):
        taken = "There is already a counterparty called “%(other)s”."
        yield Key.of_name(NAME, self.name, "name", taken)
        for alias in self.alias_list:
            yield Key.of_name(ALIAS, alias)
        if self.lei:
            yield Key("lei", self.lei, field_name="lei", message="%(other)s has this LEI already.")
        if self.country and self.company_number:
            yield Key(
                "company number",
                company_number_key(self.country, self.company_number),
                field_name="company_number",
                message="%(other)s has this number in the same country already.",
            )

    def questions(self):
        return questions.questions_about_counterparty(self)

    @property
    def alias_list(self) -> list[str]:
        return split_lines(self.aliases)

    @property
    def country_name(self) -> str:
        return country_name(self.country)


class Contact(AuditedModel):
    """A person, who may hold roles at several counterparties."""

    name = LineField(max_length=200)
    email = models.EmailField("e-mail", blank=True)
    phone = LineField(max_length=40, blank=True)
    job_title = LineField(max_length=120, blank=True)
    aliases = NamesField(
        "other names", blank=True, limit=4_000, help_text="One a line. Search finds these too."
    )
    comments = GenericRelation(Comment)

    objects: ClassVar = ContactQuerySet.as_manager()

    SEARCH_FIELDS = ("name", "job_title", "email", "phone", "aliases", "phone_without_spaces")
    SEARCH_ORDER = 4
    HAS_KEYS = True
    MERGE_FIELDS = ("email", "phone", "job_title")

    class Meta:
        ordering = ["name"]
        constraints = [name_present("contact")]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return address_of("contact", self.pk)

    @property
    def phone_without_spaces(self) -> str:
        """The digits and plus signs, so that a number without spaces is found."""
        return "".join(char for char in self.phone if char.isdigit() or char == "+")

    def record_keys(self):
        yield Key.of_name(NAME, self.name)
        for alias in self.alias_list:
            yield Key.of_name(ALIAS, alias)

    def questions(self):
        return questions.questions_about_contact(self)

    @property
    def alias_list(self) -> list[str]:
        return split_lines(self.aliases)


class ContactRole(ReferenceModel):
    """What a contact does at a counterparty."""

    PROTECTED_CODES = frozenset(code for code, _ in CONTACT_ROLES)

    class Meta(ReferenceModel.Meta):
        constraints = [unique_name("contactrole"), unique_name("contactrole", "code")]


class CounterpartyContact(AuditedModel):
    """A contact's role at a counterparty, with its first and last day."""

    counterparty = models.ForeignKey(
        Counterparty, on_delete=models.CASCADE, related_name="contact_links"
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.PROTECT, related_name="counterparty_links"
    )
    role = models.ForeignKey(ContactRole, on_delete=models.PROTECT, related_name="+")
    valid_from = models.DateField("from", null=True, blank=True)
    valid_until = models.DateField("until", null=True, blank=True, help_text="Last day.")

    PARENT_FIELD = "counterparty"

    objects: ClassVar = CounterpartyContactQuerySet.as_manager()

    class Meta:
        verbose_name = "contact role"
        ordering = ["role__order", "contact__name"]
        constraints = [
            models.UniqueConstraint(
                fields=["counterparty", "contact", "role"],
                name="counterpartycontact_unique",
                violation_error_message="This person already has this role there.",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__gte=F("valid_from")),
                name="counterpartycontact_period",
                violation_error_message="“Until” lies before “from”.",
            ),
        ]

    def __str__(self):
        return f"{self.contact} as {self.role} at {self.counterparty}"

    @classmethod
    def describe_link(cls, row, names):
        return f"{names.get(Contact, row.contact_id)} as {names.get(ContactRole, row.role_id)}"

    def questions(self):
        return questions.questions_about_role(self)

    def combined_with(self, other):
        """The earliest start and the latest end; None if either link has no limit."""
        begins = [self.valid_from, other.valid_from]
        ends = [self.valid_until, other.valid_until]
        return {
            "valid_from": None if None in begins else min(begins),
            "valid_until": None if None in ends else max(ends),
        }

    def clean(self) -> None:
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise ValidationError(
                {"valid_until": f"Give a day from {date_format(self.valid_from)} on, or none."}
            )
