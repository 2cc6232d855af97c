"""What a search needs besides its query."""
