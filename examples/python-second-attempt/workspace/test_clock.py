import pytest

from clock import minutes


@pytest.mark.parametrize(
    "text, expected",
    [("09:30", 570), ("9:30 pm", 1290), ("12:05 am", 5), ("12:00 pm", 720)],
)
def test_minutes(text, expected):
    assert minutes(text) == expected
