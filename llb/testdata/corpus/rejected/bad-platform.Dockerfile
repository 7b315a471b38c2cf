FROM --platform=nonsense/$X/y/z alpine
