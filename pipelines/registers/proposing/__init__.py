"""Proposals: which projects and companies of the registers may be records of ours, as matching
says of what is stored now.

The job ``match-registers`` reads both sides, searches pairs and writes them anew as ``Proposal``.
Those of projects in the surest band it accepts by itself, in one change set.
"""
