"""The key that signs tokens: the environment's, or, in development only, one that ends with the process."""

import logging
import secrets

from alembic_online.postgres.errors import UserError
from src.settings import Settings

MINIMUM = 32
"""Characters: RFC 7518, section 3.2 wants as many bits as the hash of HS256 has."""

_log = logging.getLogger(__name__)


class UnsafeConfiguration(UserError):
    """The environment asks for something that would not be safe in production."""


def signing_key(settings: Settings) -> str:
    """Raises `UnsafeConfiguration` for a short key anywhere, and for none outside of development."""
    remedy = "Set it to the output of: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
    if settings.secret_key:
        if len(settings.secret_key) < MINIMUM:
            raise UnsafeConfiguration(f"SECRET_KEY is shorter than {MINIMUM} characters.", remedy)
        return settings.secret_key
    if settings.is_production:
        raise UnsafeConfiguration("SECRET_KEY is not set, and this is not development.", remedy)
    _log.warning("SECRET_KEY is not set: everybody is signed out when this process ends.")
    return secrets.token_urlsafe(48)
