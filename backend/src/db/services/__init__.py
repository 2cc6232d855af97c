"""Rules of the business that are more than one statement. They raise `RuleError`, and never commit."""
