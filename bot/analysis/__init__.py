"""Analyses of rules on stored messages: backtest, preview, unmatched."""
