"""`python -m src.safety VERB`, which is `python -m alembic_online VERB` now."""

import sys

from alembic_online.cli.main import main

sys.exit(main())
