RATE = 0.19


def tax(amount):
    """Tax on an amount in cents, rounded to whole cents."""
    return round(amount * RATE)
