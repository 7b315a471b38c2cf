"""The arithmetic of ISBN-10 and ISBN-13."""


class InvalidISBN(ValueError):
    """The text is no ISBN; the message says why."""


def to_isbn13(text):
    """Return the thirteen digits of an ISBN of either length, with or without hyphens."""
    digits = text.replace("-", "").replace(" ", "").upper()
    if len(digits) == 10 and _digits(digits[:9]) and (_digits(digits[9]) or digits[9] == "X"):
        values = [10 if digit == "X" else int(digit) for digit in digits]
        if sum(weight * value for weight, value in zip(range(10, 0, -1), values)) % 11:
            raise InvalidISBN("wrong check digit")
        body = "978" + digits[:9]
        return body + _check_digit(body)
    if len(digits) == 13 and _digits(digits):
        if _check_digit(digits[:12]) != digits[12]:
            raise InvalidISBN("wrong check digit")
        return digits
    raise InvalidISBN("an ISBN has 10 or 13 digits")


def _digits(text):
    # str.isdigit alone accepts the digits of every script.
    return text.isascii() and text.isdigit()


def _check_digit(body):
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return str(-total % 10)
