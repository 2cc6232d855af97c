"""What is put into the command that `record` runs."""
