"""What a set of rules does to real messages: backtest, preview, unmatched."""
