class UnreadableFileError(Exception):
    """A file can't be read at all. The message names the file and the line, or the cell, and says
    what would be right."""
