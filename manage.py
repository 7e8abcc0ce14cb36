#!/usr/bin/env python
"""The door for operators: migrations, syncs, the demo."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError

from config.database import remedy


def main() -> None:
    """Run a command; an operator's slip is one sentence and no traceback, unless asked for."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.stderr.write(f"Configuration error: {error}\n")
        sys.exit(2)
    except DatabaseError as error:
        told = remedy(error)
        if told is None or "--traceback" in sys.argv:
            raise
        sys.stderr.write(f"{told}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
