"""One revision in the place of many, and databases anywhere in the old chain that go on working."""
