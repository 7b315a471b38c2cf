FROM example.com/missing
