"""Tokens, their key, and how often passwords may be tried."""
