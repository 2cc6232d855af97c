"""SQL as text: tokens, literals, identifiers."""
