"""One run from request to folder: plan, report, summary, sweep, and what its network says of images."""
