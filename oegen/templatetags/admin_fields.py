"""The fields of the admin's forms as HTML. A pipeline's form has 180 of them, for which templates
take three times as long.

The elements and classes are those of Django's templates: its styles and scripts rely on them.
"""

from django import template
from django.contrib.admin.helpers import (
    AdminField,
    AdminReadonlyField,
    Fieldline,
    InlineAdminForm,
)
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def draw_line(line: Fieldline) -> SafeString:
    """A line of a fieldset. Several fields on a line stand side by side, each with its errors."""
    fields = list(line)
    is_shared = len(fields) > 1
    errors = "" if is_shared else line.errors()
    problem = " errors" if errors else ""
    hidden = "" if line.has_visible_field else " hidden"
    names = "".join(f" field-{name}" for name in line.fields)
    boxes = "".join(_draw_box(field, is_shared) for field in fields)
    if is_shared:
        boxes = f'<div class="flex-container form-multiline">{boxes}</div>'
    html = f'<div class="form-row{problem}{hidden}{names}">{errors}{boxes}</div>'
    return mark_safe(html)  # noqa: S308 - names are those of fields, the rest is escaped


@register.filter
def draw_cells(row: InlineAdminForm) -> SafeString:
    """The cells of the fields in a row of a table."""
    fields = (field for fieldset in row for line in fieldset for field in line)
    return mark_safe("".join(map(_draw_cell, fields)))  # noqa: S308 - as above


def _draw_box(field: AdminField | AdminReadonlyField, is_shared: bool) -> str:
    """The label, input or value, and help text of a field."""
    errors, help_id, hidden = "", "", ""
    if isinstance(field, AdminReadonlyField):
        name, help_text = field.field["name"], str(field.field["help_text"])
        content = f'{field.label_tag()}<div class="readonly">{field.contents()}</div>'
    else:
        box = field.field
        name, help_text = box.name, str(box.help_text)
        hidden = " hidden" if box.is_hidden else ""
        errors = str(box.errors) if is_shared else ""
        help_id = f' id="{box.id_for_label}_helptext"' if help_text and box.id_for_label else ""
        label = field.label_tag()
        content = f"{box}{label}" if field.is_checkbox else f"{label}{box}"
    classes = "flex-container"
    if is_shared:
        classes += f" fieldBox field-{name}{' errors' if errors else ''}{hidden}"
    if field.is_checkbox:
        classes += " checkbox-row"
    help_box = (
        f'<div class="help{hidden}"{help_id}><div>{help_text}</div></div>' if help_text else ""
    )
    return f'<div>{errors}<div class="{classes}">{content}</div>{help_box}</div>'


def _draw_cell(field: AdminField | AdminReadonlyField) -> str:
    if isinstance(field, AdminReadonlyField):
        return f'<td class="field-{field.field["name"]}"><p>{field.contents()}</p></td>'
    box = field.field
    hidden = " hidden" if box.is_hidden else ""
    return f'<td class="field-{box.name}{hidden}">{box.errors}{box}</td>'
