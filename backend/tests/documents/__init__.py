"""The pages in `docs/reference` that are made from the code: how they are made, and that they are up to date."""
