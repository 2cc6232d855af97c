"""What an upgrade or downgrade would do to the database at hand, seen from a rehearsal and not from a list of rules."""
