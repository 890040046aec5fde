"""The import of the Streamlit demo's four CSV files (``manage.py import_demo_csv``).

There is an importer for each file of records. It also imports the rows of the demo's audit file
about its records, as history with the audit's dates. Nothing else depends on this package: once the
data are imported it can be deleted, with its command and tests/dashboard/demo_import.
"""
