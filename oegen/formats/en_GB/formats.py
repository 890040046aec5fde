"""Dates as LOOK.md writes them: 14 Mar 2027."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"
SHORT_DATE_FORMAT = "j M Y"
SHORT_DATETIME_FORMAT = "j M Y, H:i"
# ISO first: what date inputs send; then what people in Britain type. The year has four digits: of
# 69 nobody knows which it is.
DATE_INPUT_FORMATS = ["%Y-%m-%d", "%d/%m/%Y", "%d %b %Y", "%d %B %Y"]
