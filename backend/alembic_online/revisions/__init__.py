"""The revision files of a project: their graph, ids and checksums, and what git says of them."""
