"""Editions of registers: fetched, written as one change set each, and presented.

What an edition says is stored as **sightings** of **states**: a state is what a row said of a
project, stored once however many editions repeat it. All else follows from the sightings of the
editions that are there, so these may come in any order and be undone.
"""
