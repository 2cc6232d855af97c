"""Every resource of the API, one file each; `app` serves them below `/api/v1`."""

from src.api import accounts, capstone, profiles, search, sign_in

ROUTERS = (sign_in.router, accounts.router, profiles.router, capstone.router, search.router)
