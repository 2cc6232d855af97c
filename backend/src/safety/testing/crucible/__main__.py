"""`python -m src.safety.testing.crucible`: see `verb.py`."""

import sys

from src.safety.testing.crucible.verb import main

sys.exit(main())
