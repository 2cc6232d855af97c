"""Answers of a language model, made and kept."""
