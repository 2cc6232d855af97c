"""What requests and answers of each resource look like."""
