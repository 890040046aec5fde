#!/usr/bin/env python
import os
import sys

if __name__ == "__main__":
    os.umask(0o077)  # What is written is for nobody else on this machine.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oegen.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
