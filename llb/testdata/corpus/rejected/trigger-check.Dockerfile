# docker/dockerfile panics: the trigger's comment is a check directive.
FROM example.com/obcheck
