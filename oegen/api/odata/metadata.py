"""The service document and $metadata, in CSDL XML."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

from oegen.api.odata.sets import Column, EntitySet

NAMESPACE = "OEGen"
_EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
_EDM = "http://docs.oasis-open.org/odata/ns/edm"
_CORE = "Org.OData.Core.V1"
_CORE_URI = (
    "https://docs.oasis-open.org/odata/odata-vocabularies/v4.0/vocabularies/Org.OData.Core.V1.xml"
)

ElementTree.register_namespace("edmx", _EDMX)


def service_document(root: str, sets: Iterable[EntitySet]) -> dict[str, Any]:
    return {
        "@odata.context": f"{root}$metadata",
        "value": [{"name": one.name, "kind": "EntitySet", "url": one.name} for one in sets],
    }


def metadata(sets: Iterable[EntitySet], *, personal: bool) -> bytes:
    sets = list(sets)
    document = ElementTree.Element(f"{{{_EDMX}}}Edmx", Version="4.0")
    reference = ElementTree.SubElement(document, f"{{{_EDMX}}}Reference", Uri=_CORE_URI)
    ElementTree.SubElement(reference, f"{{{_EDMX}}}Include", Namespace=_CORE, Alias="Core")
    services = ElementTree.SubElement(document, f"{{{_EDMX}}}DataServices")
    schema = ElementTree.SubElement(services, "Schema", xmlns=_EDM, Namespace=NAMESPACE)
    for one in sets:
        entity = ElementTree.SubElement(schema, "EntityType", Name=one.entity)
        key = ElementTree.SubElement(entity, "Key")
        for name in one.key:
            ElementTree.SubElement(key, "PropertyRef", Name=name)
        for column in one.columns_for(personal=personal):
            _describe(_property(entity, column), column.description)
    container = ElementTree.SubElement(schema, "EntityContainer", Name="Pipeline")
    for one in sets:
        entity_type = f"{NAMESPACE}.{one.entity}"
        found = ElementTree.SubElement(
            container, "EntitySet", Name=one.name, EntityType=entity_type
        )
        _describe(found, one.description)
    return ElementTree.tostring(document, encoding="utf-8", xml_declaration=True)


def _property(entity: ElementTree.Element, column: Column) -> ElementTree.Element:
    facets = dict(column.type.facets)
    if not column.is_nullable:
        facets["Nullable"] = "false"
    return ElementTree.SubElement(
        entity, "Property", {"Name": column.name, "Type": column.type.name, **facets}
    )


def _describe(element: ElementTree.Element, text: str) -> None:
    ElementTree.SubElement(element, "Annotation", Term="Core.Description", String=text)
