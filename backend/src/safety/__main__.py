"""`python -m src.safety`."""

import sys

from src.safety.cli import main

sys.exit(main())
