"""Prices as people write them."""


def cents(text):
    """Cents of a price like 3, 3.5 or 3.50."""
    whole, _, rest = text.strip().partition(".")
    return int(whole) * 100 + int(rest or 0)


def total(texts):
    return sum(cents(text) for text in texts)
