"""The interface for programs: access tokens, REST."""
