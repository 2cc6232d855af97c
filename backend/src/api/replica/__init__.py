"""Reads on a streaming replica, and how far a client has seen."""
