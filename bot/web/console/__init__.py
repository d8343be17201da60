"""
The editors' console at `/console`, by subject.

* ``messages``: the overview, customers' messages, unanswered questions
* ``rules``, ``rule_form``: the pages Rules and Try; the form of one rule
* ``publishing``: the pages Check and Versions; drafts and their publication
* ``images``: the page Pictures and the image library
* ``tables``: downloads and uploads for spreadsheets
* ``app``, ``auth``, ``formatting``: the blueprint and its navigation; log-in; texts and numbers for every page
"""
