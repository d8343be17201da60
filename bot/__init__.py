"""
Answers the customers of a Zalo Official Account with images, from one YAML file.

The way of an event, from Zalo's POST to the image on the customer's phone:

1. ``web.webhook`` verifies the signature over the raw bytes (``zalo.verify``) and reads the event (``zalo.parse``).
2. ``inbox.queue`` stores it under its key; a redelivery has the same key and is known.
3. ``inbox.sql.group_commit`` makes it durable together with the others that have just come in; then Zalo gets its 200.
4. ``delivery.dispatcher`` claims the oldest due event whose user has no earlier open one.
5. ``rules.engine`` decides which rule answers; the decision is stored before the first send.
6. ``inbox.oa_limits`` asks the OA's rate limit and circuit breaker whether the vendor may be called now.
7. ``delivery.images`` turns the rule's image into what the vendor takes: a link, an attachment id, a file's token.
8. ``delivery.sender`` has ``cpaas`` send it to the user.
9. ``delivery.transitions`` says what the vendor's answer means: sent, later, never, or unknown until Zalo's echo.
10. ``inbox.queue`` stores the new state, under the fence of the claim.

The parts, from the top down; imports point strictly down (``lint-imports`` checks that):

* ``cli``, ``web``: commands; gunicorn worker, webhook, metrics, the editors' console
* ``sandbox``, ``doctor``, ``analysis``: a fake vendor and Zalo; checks of an installation; rules on stored messages
* ``runtime``: the running parts of one process
* ``delivery``, ``image_health``: sending; regular checks of images
* ``inbox``, ``cpaas``: everything stored (``sql``, ``editing``, ``statistics``); the vendor's client
* ``rules``: the rules file, from bytes to decisions
* ``images``, ``net``, ``zalo``: image files; outbound HTTP; Zalo's events
* ``config``, ``logs``, ``metrics``, ``files``, ``i18n``, ``errors``, ``isolated_process``
"""
