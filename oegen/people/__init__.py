"""Accounts, roles, comments, sign-in, sessions and security events."""
