"""Kinds of jobs for tests, as an application that worker processes install."""
