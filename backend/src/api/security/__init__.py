"""Who asks, by which token, and how often."""
