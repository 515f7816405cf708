from prices import cents, total


def test_whole():
    assert cents("3") == 300


def test_two_digits():
    assert cents("3.50") == 350
    assert cents("3.05") == 305


def test_one_digit():
    assert cents("3.5") == 350


def test_total():
    assert total(["1", "2.25"]) == 325


def test_total_with_one_digit():
    assert total(["1.5", "2.25"]) == 375
