"""`python -m src.course`."""

import sys

from src.course.cli import main

sys.exit(main())
