"""From a draft of the rules file to its publication: the pages Check and Versions, drafts, the chat with a draft."""
