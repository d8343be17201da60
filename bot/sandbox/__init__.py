"""The other side, for demo, tests and benchmarks: a sandbox vendor, and Zalo's signed events."""
