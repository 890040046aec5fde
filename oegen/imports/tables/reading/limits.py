"""What is refused before it is parsed, because of its size."""

#: The size of a file of text, and of the unpacked parts of a spreadsheet, in bytes.
MAX_UNPACKED = 200_000_000

#: How many times larger the parts of a spreadsheet may be than the file, if they are larger than
#: ``FREE_RATIO`` bytes.
MAX_RATIO = 100
FREE_RATIO = 1_000_000

MAX_COLUMNS = 16_384
MAX_ROWS = 100_000

#: The cells of the rectangle round all values of a sheet, which the parser keeps in memory.
MAX_CELLS = 5_000_000

#: The characters of all shared texts of a sheet, each as often as cells refer to it.
MAX_SHARED = 200_000_000
