"""A shop of any size: many rules with made-up keywords, and forty days of events."""

from __future__ import annotations

import random

from tests.bench.words import keywords

DAY = 86_400.0
WORDS_PER_RULE = 5

CHANCE = random.Random(20270101)
ALL_WORDS = keywords(CHANCE)

# Forty days of events, as wide as real ones, a third of them answered.
FILL = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
INSERT INTO events (key, name, app_id, oa_id, user_id, msg_id, kind, received_at, text, body, status, reason, due_at,
                    rule_id, rules_hash, replied_at, settled_at)
SELECT hex(randomblob(32)), 'user_send_text', '360846524940903967', '388613280878808645', 'u' || i % 50000,
       hex(randomblob(10)), 'text', ? + i * ?, 'shop ơi cho mình hỏi giá bánh này bao nhiêu vậy', randomblob(420),
       CASE WHEN i % 3 THEN 'ignored' ELSE 'sent' END, 'rule', 0, 'rule-' || i % 50, hex(randomblob(32)),
       CASE WHEN i % 3 THEN NULL ELSE ? + i * ? END, 1
FROM n
"""


def rules(words: list[str]) -> str:
    """Return a file of a rule for each five words, one of them switched off, and one rule for followers."""
    lines = ["version: 1", "rules:"]
    for n in range(len(words) // WORDS_PER_RULE):
        own = ", ".join(f'"{word}"' for word in words[n * WORDS_PER_RULE : (n + 1) * WORDS_PER_RULE])
        lines += [
            f"  - id: luat-{n}",
            "    on: follow" if n == 3 else f"    keywords: [{own}]",
            f"    enabled: {'false' if n == 7 else 'true'}",
            f'    reply: {{image_url: "https://cdn.shop.vn/{n}.jpg"}}',
        ]
    return "\n".join([*lines, 'fallback: {reply: {image_url: "https://cdn.shop.vn/menu.jpg"}}', ""])
