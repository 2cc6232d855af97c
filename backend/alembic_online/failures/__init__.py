"""From whatever was raised to the sentence that a user reads."""
