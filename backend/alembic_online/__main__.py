"""`python -m alembic_online`."""

import sys

from alembic_online.cli.main import main

sys.exit(main())
