"""What whoever runs the service looks at: probes, metrics, logs; and the replica."""
