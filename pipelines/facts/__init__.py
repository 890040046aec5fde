"""Facts: a denormalized table of pipelines and their facilities, with validity intervals.

Facts are derived from the history and updated at the end of each change set. Metrics of a past day,
of now, or of the time between two days filter them by ``valid_from`` and ``valid_until``.

Facts contain the keys of stages and technologies, not their names: these are joined as of the day.
``audit_check`` derives all facts from the history again and compares them with the table.
"""
