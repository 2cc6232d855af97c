"""Every resource of the API, one file each; `app` serves them below `/api/v1`."""

from src.api import accounts

ROUTERS = (accounts.router,)
