"""The codes that querysets, filters and metrics share."""

#: Codes of a status that is not a stage, beside the outcomes' own.
HELD = "on-hold"
OPEN = "open"

#: Codes of a state that is neither open nor on hold.
DONE = "completed"
ENDED = "ended"

#: Codes of an RTB bucket that is not a year.
OVERDUE = "overdue"
NO_DATE = "none"

#: Codes of what RTB dates have come to: any that is not overdue; reached or scheduled, which is
#: what counts in the cumulative capacity by RTB date.
IN_TIME = "due"
ON_COURSE = "on-course"

#: Code of a technology and all its kinds: "wind-all".
ALL_KINDS = "-all"
NO_FACILITY = "none"
