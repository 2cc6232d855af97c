"""The cut-over of a revision: what waits for it, what may come before it, what clients would miss."""
