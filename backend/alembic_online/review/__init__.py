"""What is looked at before a revision is merged or applied: plan, lint, drift, snapshot, doctor."""
