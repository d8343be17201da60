"""Statistics of past events for the pages: hourly counts that outlive the events, sums by day, and by rule."""
