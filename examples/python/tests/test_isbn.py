import unittest

from isbn import create_app
from isbn.number import InvalidISBN, to_isbn13


class NumberTest(unittest.TestCase):
    def test_both_lengths_give_the_same_number(self):
        self.assertEqual(to_isbn13("0-306-40615-2"), "9780306406157")
        self.assertEqual(to_isbn13("978-0-306-40615-7"), "9780306406157")

    def test_ten_is_written_as_x(self):
        self.assertEqual(to_isbn13("080442957x"), "9780804429573")

    def test_what_is_no_isbn_is_refused(self):
        for text in ("", "123", "9780306406158", "0306406153", "X306406152", "٩٧٨٠٣٠٦٤٠٦١٥٧"):
            with self.subTest(text), self.assertRaises(InvalidISBN):
                to_isbn13(text)


class ServiceTest(unittest.TestCase):
    def setUp(self):
        self.client = create_app().test_client()

    def test_valid(self):
        reply = self.client.get("/isbn/0-306-40615-2")
        self.assertEqual(reply.json, {"isbn13": "9780306406157", "valid": True})

    def test_invalid(self):
        reply = self.client.get("/isbn/0-306-40615-3")
        self.assertEqual(reply.status_code, 422)
        self.assertEqual(reply.json["error"], "wrong check digit")
