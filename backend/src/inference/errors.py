"""What goes wrong with a service: at the start by its address, later by what it answers.

UserError
└── EndpointInvalid    the address in the environment is none
Exception
└── ServiceFailed      no answer, or not the one that was asked for
    └── ServiceBusy    asked too often; it says when to ask again
"""

from alembic_online.postgres.errors import UserError


class EndpointInvalid(UserError):
    """The address of a service cannot be used."""

    exit_code = 1


class ServiceFailed(Exception):
    """A service did not do what it was asked; the message is a sentence for people, without keys and texts."""


class ServiceBusy(ServiceFailed):
    """Too many requests (429). `wait` is for how many seconds the service asks to be left alone, if it says so."""

    def __init__(self, message: str, wait: float | None) -> None:
        super().__init__(message)
        self.wait = wait
