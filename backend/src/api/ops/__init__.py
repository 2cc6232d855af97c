"""What whoever runs the service looks at: probes, metrics, logs."""
