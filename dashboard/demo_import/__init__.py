"""The take-over of the Streamlit demo's four CSV files (``manage.py import_demo_csv``).

An importer says what a row of its file means, and what the demo's audit, which becomes dated
history, tells of the same record. Nothing else depends on this package: once the data are taken
over it can be deleted, with its command and tests/dashboard/demo_import.
"""
