"""Measurements, each a command that prints a table: ``python -m tests.benchmarks.pages``, of
commands and files ``python -m tests.benchmarks.commands``."""
