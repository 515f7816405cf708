from shop.invoice import describe, total


def test_total_uses_the_rate_it_is_given():
    assert total([(2, 500), (1, 250)], rate=0.07) == 1338


def test_describe():
    assert describe([(2, 500)]) == "2 x 500"
