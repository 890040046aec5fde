"""Signing in, own passwords and sessions."""
