"""The codes that querysets, filters and metrics share."""

#: Codes of statuses that are not stages; the outcomes have codes of their own.
HELD = "on-hold"
OPEN = "open"

#: Codes of the other states of ``with_state``.
DONE = "completed"
ENDED = "ended"

#: Codes of RTB buckets that are not a year.
OVERDUE = "overdue"
NO_DATE = "none"

#: Codes for ``of_rtb``: a date that is not overdue; a date reached or scheduled, as counted in the
#: cumulative capacity by RTB date.
IN_TIME = "due"
ON_COURSE = "on-course"

#: Suffix of a technology's code that includes its kinds: "wind-all".
ALL_KINDS = "-all"
NO_FACILITY = "none"

#: The code for ``needing_attention`` that stands for every reason.
ANY_REASON = "any"

#: The code for ``with_findings_of`` that stands for every kind.
ANY_FINDING = "any"

#: Directions of a change of rating.
WORSE = "worse"
BETTER = "better"
