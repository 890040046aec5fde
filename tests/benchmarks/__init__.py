"""Measurements, each a command that prints a table: ``python -m tests.benchmarks.pages``, of
commands and files ``python -m tests.benchmarks.commands``, of imports of tables
``python -m tests.benchmarks.imports``."""
