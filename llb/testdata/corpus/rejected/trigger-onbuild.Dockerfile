FROM example.com/obonbuild
