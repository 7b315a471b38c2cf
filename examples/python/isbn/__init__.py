"""A web service that checks ISBNs."""

from flask import Flask, jsonify

from .number import InvalidISBN, to_isbn13


def create_app():
    """Return the WSGI application."""
    app = Flask(__name__)

    @app.get("/isbn/<text>")
    def check(text):
        try:
            return jsonify(isbn13=to_isbn13(text), valid=True)
        except InvalidISBN as error:
            return jsonify(error=str(error), valid=False), 422

    @app.get("/healthz")
    def healthz():
        return jsonify(status="ok")

    return app
