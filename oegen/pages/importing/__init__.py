"""The pages of imports: a file, its columns, its preview, and what was written."""
