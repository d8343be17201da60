"""The overview and customers' messages: list, conversation, timeline, unanswered questions."""
