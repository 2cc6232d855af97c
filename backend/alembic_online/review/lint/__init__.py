"""Lint: what would stop the service, or surprise somebody later, is said before a revision is merged.

source (its text) ─┐
trial (what it did to a scratch database) ─┼──► Revision ──► rules/, one file each ──► findings, less what is allowed
landed (main branch, former models) ─┘
"""
