"""Stands for a cloud's service that names the database and gives a token, each good for one connection."""

import os

from psycopg.conninfo import conninfo_to_dict


def credentials():
    return conninfo_to_dict(os.environ["DATABASE_URL"])
