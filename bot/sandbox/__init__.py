"""Sandbox for demo, tests and benchmarks: a fake vendor, and Zalo's signed events."""
