"""`python -m src.safety VERB`, which is `python -m alembic_online VERB` now."""

import sys

from alembic_online.cli.main import main

sys.stderr.write("python -m src.safety is called python -m alembic_online now, and goes with the next release.\n")
sys.exit(main())
