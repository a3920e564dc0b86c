"""One call by itself, as the console would explain it."""

from router.resolve import resolve


def resolved(call, account):
    """What is decided for it, with the setting of its called number."""
    return resolve(call, account, account.number(call.called_e164))
