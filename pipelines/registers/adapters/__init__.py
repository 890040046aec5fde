"""One module for each register, and one for files with a declared mapping."""
