"""What is wrong here, and how to mend it: the machine, the settings, the server, the chain and the database.

Each check is a function that returns findings; what one cannot look at it says, and the others go on.
"""

from alembic_online.review.doctor.examine import examine, machine_alone
from alembic_online.review.doctor.finding import Finding, Level

__all__ = ["Finding", "Level", "examine", "machine_alone"]
