from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from oegen.core.addresses import address_of
from pipelines.registers.models.project import RegisterProject


class RegisterCompany(models.Model):
    """A company that registers name as operator.

    ``key`` is an official number where a register has one, such as “mastr:ABR968018016836”, else
    the name without case, accents and legal form: “name:birch energy”.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    key = models.CharField(max_length=300, unique=True)
    name_key = models.CharField(max_length=300, db_index=True)
    name = models.CharField(max_length=300, help_text="As it was published last.")
    aliases: models.JSONField[Any, Any] = models.JSONField(
        default=list, help_text="Former names, and other spellings of its number."
    )
    identifiers: models.JSONField[Any, Any] = models.JSONField(default=dict)
    group = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="members",
        help_text="The company that it belongs to.",
    )

    unaudited = "Derived from what publishers say; decisions about it are matches, with history."

    ADMINISTRATORS_MAY: ClassVar = ("view",)

    class Meta:
        verbose_name = "company of registers"
        verbose_name_plural = "companies of registers"
        default_permissions = ("view",)
        ordering = ["name", "key"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return address_of("competitor", self.pk)


class ProjectCompany(models.Model):
    """That a company is an operator of a project, at that place of several."""

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(
        RegisterProject, on_delete=models.CASCADE, related_name="company_links"
    )
    company = models.ForeignKey(
        RegisterCompany, on_delete=models.CASCADE, related_name="project_links"
    )
    position = models.PositiveSmallIntegerField(default=0)

    unaudited = "Derived from what publishers say."

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["project", "company"], name="projectcompany_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.company_id} of {self.project_id}"
