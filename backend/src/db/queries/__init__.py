"""Statements of each resource, built once at import. Functions ask and answer rows; nobody here commits."""
