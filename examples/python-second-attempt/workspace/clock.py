def minutes(text):
    """Minutes since midnight of a time like 09:30 or 9:30 pm."""
    clock, _, half = text.partition(" ")
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)
