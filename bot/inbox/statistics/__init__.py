"""What pages show of past events: hourly counts that outlive them, sums over days, and each rule's."""
