"""Measurements, not tests: each module prints medians and ratios of one run."""
