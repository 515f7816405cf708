from shop.tax import tax


def total(lines, rate):
    """Sum of all lines in cents, with tax."""
    amount = sum(quantity * price for quantity, price in lines)
    return amount + tax(amount)


def describe(lines):
    return ", ".join(f"{q} x {p}" for q, p in lines)
