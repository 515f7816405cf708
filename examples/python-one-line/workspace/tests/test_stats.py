import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from stats import mean, median, spread


def test_mean():
    assert mean([1, 2, 3, 4]) == 2.5


def test_median_of_odd_list():
    assert median([5, 1, 3]) == 3


def test_median_of_even_list():
    assert median([4, 1, 3, 2]) == 2.5


def test_spread():
    assert spread([3, 9, 5]) == 6
