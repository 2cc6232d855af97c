"""What goes wrong with a service: at the start by its address, later by what it answers.

UserError
└── EndpointInvalid    the address in the environment is none
Exception
└── ServiceFailed      no answer, or not the one that was asked for
"""

from src.postgres.errors import UserError


class EndpointInvalid(UserError):
    """The address of a service cannot be used."""

    exit_code = 1


class ServiceFailed(Exception):
    """A service did not do what it was asked; the message is a sentence for people, without keys and texts."""
