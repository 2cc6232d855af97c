"""What a rule of the business refuses; the API answers it with the status beside it.

RuleError
├── Absent      404   there is no such thing, or none that this person may know of
├── Forbidden   403   it is there, and this person may not do that with it
└── Conflict    409   nobody may do that with it as it stands
"""


class RuleError(Exception):
    """One sentence for the person who asked."""


class Absent(RuleError):
    """There is no such thing, or none that this person may know of."""


class Forbidden(RuleError):
    """It is there, and this person may not do that with it."""


class Conflict(RuleError):
    """Nobody may do that with it as it stands."""
