"""From a URL to a connection, with every driver; and what is wrong where there is none."""
