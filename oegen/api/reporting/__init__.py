"""Views of the OData sets for programs that read PostgreSQL itself; see docs/reporting.md."""
