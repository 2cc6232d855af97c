"""`python -m alembic_online.testing.crucible`: see `verb.py`."""

import sys

from alembic_online.testing.crucible.verb import main

sys.exit(main())
