"""Analyses of rules on stored messages: backtest, preview of a draft, unanswered topics."""
