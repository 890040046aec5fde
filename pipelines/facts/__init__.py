"""Facts: how pipelines and their facilities stood from one recorded moment to the next.

Derived from the history and kept by every write, at the end of its change set. What the metrics
count of a day, of now, or between two days is a filter on ``valid_from`` and ``valid_until``.

Facts hold no vocabulary: stages and technologies are joined as they were on the day. They are never
trusted either: ``audit_check`` derives them anew from the history and compares.
"""
