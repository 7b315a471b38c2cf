FROM example.com/obbad
